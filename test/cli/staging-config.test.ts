import { describe, expect, it } from 'vitest'
import { formatProblem, readConfig } from '../../cli/config.ts'
import { openStagingFiles, stagingPath } from '../../cli/warehouse.ts'
import { writeWholeFile } from '../../runtime/file-system.ts'
import { seededRandom } from '../../runtime/random.ts'
import { SimulatedFileSystem } from '../../testkit/simulated-file-system.ts'

const hive = 'warehouse: { type: hive, host: hs2 }'
const embedded = 'warehouse: { type: embedded, path: w }'

async function read(staging: string, warehouse = hive) {
  const files = new SimulatedFileSystem({ random: seededRandom(1) })
  await files.makeDirectory('/shop')
  const text = `applicationId: shop
source: { type: kafka, brokers: ["k:1"], topics: [t], format: debezium-json }
tables: [{ from: a.b, to: c }]
${warehouse}
${staging}
`
  await writeWholeFile(files, '/shop/f.yaml', Buffer.from(text))
  const { loaded, problems } = await readConfig(files, '/shop/f.yaml', { TOKEN: 'secret' })
  return { loaded, problems: problems.map(problem => formatProblem('f.yaml', problem)) }
}

const webhdfs = (more = '') => `staging:
  type: webhdfs
  urls: [http://nn1:9870, https://nn2:9871/]
  path: /forager/staging
  location: hdfs://shop
${more}`

describe('staging in HDFS', () => {
  it('has a folder for each application, which Hive finds by its own name for the cluster', async () => {
    const { loaded, problems } = await read(webhdfs('  user: forager'))
    expect(problems).toEqual([])
    expect(stagingPath(loaded!)).toBe('/forager/staging/shop')
    const location = openStagingFiles(loaded!).locationOf(`${stagingPath(loaded!)}/a`)
    expect(location).toBe('hdfs://shop/forager/staging/shop/a')
  })

  it('takes a token, certificates and time-outs', async () => {
    const { loaded, problems } = await read(
      webhdfs(`  delegationToken: "\${env:TOKEN}"
  tls: { ca: "\${env:TOKEN}" }
  requestTimeout: 10s
  retryTimeout: 10m`),
    )
    expect(problems).toEqual([])
    expect(loaded!.config.staging).toMatchObject({
      delegationToken: 'secret',
      tls: { ca: 'secret' },
      requestTimeout: 10_000,
      retryTimeout: 600_000,
    })
  })

  it('says what is wrong, each with its line', async () => {
    const { problems } = await read(`staging:
  type: webhdfs
  urls: [nn1:9870, http://nn1:9870/webhdfs/v1]
  path: /forager/my files
  location: hdfs://shop/forager
  token: x`)
    expect(problems).toEqual([
      'f.yaml:7: staging.urls[0] must be an address like http://namenode:9870',
      'f.yaml:7: staging.urls[1] must be an address like http://namenode:9870',
      'f.yaml:8: staging.path must be like /forager/staging: letters, digits, "_", "-", "=" and "."',
      'f.yaml:9: staging.location must be like hdfs://nameservice, without a path',
      expect.stringMatching(/^f\.yaml:10: unknown key staging\.token/),
    ])
  })

  it.each(['/a/../b', '/', 'a', '/a/', '//a'])('has no path like %s', async path => {
    const { problems } = await read(webhdfs().replace('/forager/staging', path))
    expect(problems).toHaveLength(1)
  })

  it('is not for the embedded warehouse', async () => {
    const { problems } = await read(webhdfs(), embedded)
    expect(problems).toEqual([
      'f.yaml:6: staging.type: the embedded warehouse stages in a local folder; webhdfs is for hive',
    ])
  })
})

describe('staging in a folder', () => {
  it('is what there is without a word', async () => {
    for (const staging of ['', 'staging: { path: s }', 'staging: { type: local, path: s }']) {
      const { loaded, problems } = await read(staging, embedded)
      expect(problems).toEqual([])
      expect(loaded!.config.staging.type).toBe('local')
    }
  })

  it('must be said for Hive, which reads it', async () => {
    expect((await read('staging: { path: s }')).problems).toEqual([])
    expect((await read('')).problems).toEqual([
      'f.yaml:4: staging: say where Hive reads what is staged: `type: webhdfs`, or `path` of a folder that ' +
        'Hive’s machines have at the same place',
    ])
  })

  it('is read by sessions that make no table wrong', async () => {
    const settings = '{ hive.tez.auto.reducer.parallelism: "true" }'
    const warehouse = `warehouse: { type: hive, host: hs2, settings: ${settings} }`
    expect((await read('staging: { path: s }', warehouse)).problems).toEqual([
      'f.yaml:4: warehouse.settings: tables would be wrong unless hive.tez.auto.reducer.parallelism is false',
    ])
  })

  it('of an unknown kind says which there are', async () => {
    const { problems } = await read('staging: { type: s3, path: s }')
    expect(problems).toEqual(['f.yaml:5: staging.type must be local or webhdfs'])
  })
})
