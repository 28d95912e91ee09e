import { describe, expect, it } from 'vitest'
import { formatProblem, readConfig } from '../../cli/config.ts'
import type { KafkaSourceConfig } from '../../cli/config-schema.ts'
import type { Environment } from '../../cli/config-secrets.ts'
import { writeWholeFile } from '../../runtime/file-system.ts'
import { seededRandom } from '../../runtime/random.ts'
import { SimulatedFileSystem } from '../../testkit/simulated-file-system.ts'

async function read(source: string, env?: Environment) {
  const files = new SimulatedFileSystem({ random: seededRandom(1) })
  await files.makeDirectory('/shop/secrets')
  const text = `applicationId: shop
source:
  type: kafka
  brokers: ["k:1"]
  topics: [t]
  format: debezium-json
${source}
tables: [{ from: a.b, to: c }]
warehouse: { type: embedded, path: w }
`
  await writeWholeFile(files, '/shop/f.yaml', Buffer.from(text))
  await writeWholeFile(files, '/shop/secrets/key.pem', Buffer.from('KEY\nEND\n'))
  await writeWholeFile(files, '/shop/secrets/password', Buffer.from('from-a-file\r\n'))
  const { loaded, problems } = await readConfig(files, '/shop/f.yaml', env)
  return {
    source: loaded?.config.source as KafkaSourceConfig | undefined,
    short: loaded?.shortSecrets,
    problems: problems.map(problem => formatProblem('f.yaml', problem)),
  }
}

const sasl = (password: string) => {
  return `  sasl: { mechanism: PLAIN, username: "\${env:USER_NAME}", password: "${password}" }`
}

describe('secrets of a configuration', () => {
  it('come from the environment and from files beside the configuration', async () => {
    const tls = '  tls: { key: "${file:secrets/key.pem}", passphrase: "a${env:B}c${env:B}" }'
    const env = { USER_NAME: 'me', B: 'b' }
    const { source, problems } = await read(
      `${sasl('${file:/shop/secrets/password}')}\n${tls}`,
      env,
    )
    expect(problems).toEqual([])
    expect(source?.sasl).toEqual({ mechanism: 'PLAIN', username: 'me', password: 'from-a-file' })
    expect(source?.tls).toEqual({ key: 'KEY\nEND', passphrase: 'abcb' })
  })

  it('that are not there are problems with their lines, which show no secret', async () => {
    const tls = '  tls:\n    key: "${file:nowhere.pem}"\n    passphrase: "${evn:X}${env:USER_NAME}"'
    const env = { USER_NAME: 'hidden' }
    const { problems } = await read(`${sasl('${env:PASS_WORD}${env:USER_NAME}')}\n${tls}`, env)
    expect(problems).toEqual([
      'f.yaml:7: source.sasl.password: the environment has no variable PASS_WORD',
      'f.yaml:9: source.tls.key: cannot open /shop/nowhere.pem: no such file or folder',
      'f.yaml:10: source.tls.passphrase: there is no ${evn:…}: use ${env:NAME} or ${file:PATH}',
    ])
    expect(problems.join()).not.toContain('hidden')
  })

  it('stay as they are written for a command that does not need them, and so does other text', async () => {
    const { source, problems } = await read(sasl('${env:PASS_WORD}'))
    expect(problems).toEqual([])
    expect(source?.sasl?.password).toBe('${env:PASS_WORD}')
    const other = await read(`${sasl('$1{x} ${}')}\n  clientId: "x"`, { USER_NAME: '' })
    expect(other.source?.sasl).toMatchObject({ username: '', password: '$1{x} ${}' })
  })

  it('of fewer than eight characters are told by their keys; user names and longer ones are not', async () => {
    const tls = '  tls: { key: "${file:secrets/key.pem}", passphrase: "${env:LONG}" }'
    const env = { USER_NAME: 'me', SHORT: 'seven77', LONG: 'eight888' }
    const { short } = await read(`${sasl('${env:SHORT}')}\n${tls}`, env)
    expect(short).toEqual(['source.sasl.password', 'source.tls.key'])
    expect((await read(sasl('${env:LONG}'), env)).short).toEqual([])
    expect((await read(sasl('short'), env)).short).toEqual(['source.sasl.password'])
    expect((await read(sasl(''), env)).short).toEqual([])
    // Without an environment it is not the secret that stands there.
    expect((await read(sasl('short'))).short).toEqual([])
  })

  it('are put in nowhere else', async () => {
    const { problems } = await read('  clientId: "${env:HOME}"', { HOME: 'x' })
    expect(problems).toEqual([expect.stringContaining('f.yaml:7: source.clientId must be letters')])
  })
})
