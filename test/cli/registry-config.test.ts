import { describe, expect, it } from 'vitest'
import { formatProblem, readConfig } from '../../cli/config.ts'
import { registryOf } from '../../cli/registry.ts'
import { ConfluentRegistry } from '../../formats/avro/confluent-registry.ts'
import { FileRegistry } from '../../formats/avro/schema-registry.ts'
import { seededRandom } from '../../runtime/random.ts'
import { SimulatedFileSystem } from '../../testkit/simulated-file-system.ts'

async function read(format: string, registry: string | null) {
  const files = new SimulatedFileSystem({ random: seededRandom(1) })
  await files.makeDirectory('/shop')
  const keys = registry === null ? '' : `, registry: ${registry}`
  const text = `applicationId: shop
source: { type: file, path: events.jsonl, format: ${format}${keys} }
tables: [{ from: "demo.*", to: "{table}" }]
warehouse: { type: embedded, path: warehouse }
`
  const contents = { 'forager.yaml': text, 'events.jsonl': '', 'schemas.jsonl': '' }
  for (const [name, content] of Object.entries(contents)) {
    await (await files.open(`/shop/${name}`, 'write')).write(Buffer.from(content), 0)
  }
  const { problems, loaded } = await readConfig(files, '/shop/forager.yaml')
  return { loaded, problems: problems.map(problem => formatProblem('f.yaml', problem)) }
}

describe('a registry in the configuration', () => {
  it.each([
    ['{ type: confluent, url: "https://registry:8081/apis/ccompat/v7" }', ConfluentRegistry],
    ['{ type: confluent, url: "http://r", username: me, password: secret }', ConfluentRegistry],
    ['{ type: file, path: schemas.jsonl }', FileRegistry],
  ])('%s is opened', async (registry, kind) => {
    const { loaded, problems } = await read('debezium-avro', registry)
    expect(problems).toEqual([])
    expect(registryOf(loaded!)).toBeInstanceOf(kind)
  })

  it('is taken by `auto`, which does without it too', async () => {
    const registry = '{ type: file, path: schemas.jsonl }'
    expect((await read('auto', registry)).problems).toEqual([])
    const { loaded, problems } = await read('auto', null)
    expect(problems).toEqual([])
    expect(registryOf(loaded!)).toBe(null)
  })

  it.each([
    ['debezium-avro', null, 'source.registry: the messages of debezium-avro name their schemas'],
    ['debezium-avro', null, 'or a file of them, `registry: { type: file, path: schemas.jsonl }`'],
    ['debezium-json', '{ type: file, path: schemas.jsonl }', 'debezium-json has no use for it'],
    ['debezium-avro', '{ type: file, path: none.jsonl }', '/shop/none.jsonl does not exist'],
    ['debezium-avro', '{ type: confluent, url: "registry:8081" }', 'must be a URL'],
    ['debezium-avro', '{ type: confluent, url: "http://r", username: me }', 'go together'],
    [
      'debezium-avro',
      '{ type: confluent, url: "http://r", username: me, password: p, token: t }',
      'either username and password, or a token',
    ],
  ])('%s with %s is a problem with its line', async (format, registry, message) => {
    const { problems } = await read(format, registry)
    expect(problems).toEqual([expect.stringMatching(/^f\.yaml:2: /)])
    expect(problems[0]).toContain(message)
  })
})
