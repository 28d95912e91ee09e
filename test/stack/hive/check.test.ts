import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { systemClock } from '../../../runtime/clock.ts'
import { portOf } from '../../../scripts/stack/parts.ts'
import { HiveSession } from '../../../sinks/hive/hive-session.ts'
import { inFolder } from '../../cli/program.ts'
import type { DatabaseKind } from './databases.ts'
import { runSql } from './databases.ts'
import { openDatabase } from './verifying.ts'

const schema = 'verify_commands'
const acid = `STORED AS ORC TBLPROPERTIES ('transactional'='true')`

async function inHive(...statements: readonly string[]): Promise<void> {
  const session = new HiveSession(inject('hive'), systemClock)
  try {
    for (const statement of statements) await session.execute(statement)
  } finally {
    await session.close()
  }
}

function configText(databasePort: number): string {
  const { host, port } = inject('hive')
  const { url, location } = inject('webhdfs')
  return `applicationId: ${schema}
source:
  type: kafka
  brokers: ["${inject('broker')}"]
  topics: ["${schema}.*"]
  format: debezium-json
  database: { type: mariadb, host: 127.0.0.1, port: ${databasePort}, user: root, password: "\${env:DB_PASSWORD}" }
tables:
  - { from: "${schema}.*", to: "${schema}.{table}" }
warehouse: { type: hive, host: ${host}, port: ${port} }
staging: { type: webhdfs, urls: ["${url}"], location: "${location}", path: /forager, user: root }
`
}

const env = { DB_PASSWORD: 'root' }

beforeAll(async () => {
  await inHive(
    `DROP DATABASE IF EXISTS ${schema} CASCADE`,
    `CREATE DATABASE ${schema}`,
    `CREATE TABLE ${schema}.grown (id int, old string) ${acid}`,
    `CREATE TABLE ${schema}.plain (id int) STORED AS TEXTFILE`,
    `CREATE TABLE ${schema}.same (id int) ${acid}`,
    `INSERT INTO ${schema}.same VALUES (1)`,
  )
  await runSql(inject('stack'), 'mariadb', [
    `DROP SCHEMA IF EXISTS ${schema}`,
    `CREATE SCHEMA ${schema}`,
    `CREATE TABLE ${schema}.grown (id INT PRIMARY KEY, more VARCHAR(5))`,
    `CREATE TABLE ${schema}.plain (id INT PRIMARY KEY)`,
    `CREATE TABLE ${schema}.fresh (id INT PRIMARY KEY)`,
    `CREATE TABLE ${schema}.same (id INT PRIMARY KEY)`,
    `INSERT INTO ${schema}.same VALUES (1)`,
  ])
})

afterAll(async () => {
  await inHive(`DROP DATABASE IF EXISTS ${schema} CASCADE`)
  await runSql(inject('stack'), 'mariadb', [`DROP SCHEMA IF EXISTS ${schema}`])
})

describe('forager check --connect', () => {
  it('says of each server and each table what a run would meet', async () => {
    await inFolder(async program => {
      await program.write('forager.yaml', configText(portOf('mariadb', inject('stack'))))
      const { code, stdout } = await program.run(['check', 'forager.yaml', '--connect'], { env })
      const lines = stdout.trim().split('\n').slice(1)
      expect(lines).toEqual([
        expect.stringMatching(/^note: source\.database\.password has fewer than 8 characters/),
        expect.stringMatching(/^ok {4}Kafka: .* answers, \d+ topics?\.$/),
        expect.stringMatching(/^ok {4}database: mariadb:.* answers, \d+ tables, 4 of them/),
        expect.stringMatching(
          /^note {2}database: sql_mode has no NO_ZERO_DATE .*\[zero-dates\]\.$/,
        ),
        'ok    events: 0 messages of 0 topics were read.',
        expect.stringMatching(/^ok {4}HiveServer2: .* answers, Hive 4\.0\.\d+\.$/),
        expect.stringMatching(/^ok {4}staging hdfs:.*: it can be written, and Hive reads it\.$/),
        `ok    ${schema}.fresh: it is not there yet: a run makes it.`,
        `ok    ${schema}.grown: it fits; a run adds the columns more string; no source has old: new rows have null there.`,
        expect.stringMatching(`^WRONG ${schema}.plain: it is not transactional`),
        `ok    ${schema}.same: it fits.`,
      ])
      expect(code).toBe(1)
    })
  })

  it('says which server does not answer, and goes on with the others', async () => {
    await inFolder(async program => {
      const closed = portOf('mariadb', inject('stack')) + 10_000
      await program.write('forager.yaml', configText(closed))
      const { code, stdout } = await program.run(['check', 'forager.yaml', '--connect'], { env })
      expect(stdout).toMatch(/^WRONG database: .*ECONNREFUSED.*\[database-unreachable\]/m)
      expect(stdout).toMatch(/^ok {4}HiveServer2: /m)
      expect(code).toBe(1)
    })
  })
})

async function logFactsOf(kind: DatabaseKind) {
  const database = openDatabase(kind)
  try {
    return await database.logFacts()
  } finally {
    await database.close()
  }
}

describe('what a database says of its log', () => {
  it('is of MariaDB its settings', async () => {
    const { settings, identities } = await logFactsOf('mariadb')
    expect(Object.fromEntries(settings)).toMatchObject({
      log_bin: 'ON',
      binlog_format: 'ROW',
      binlog_row_image: 'FULL',
    })
    expect(identities).toEqual([])
  })

  it('is of PostgreSQL its settings, and the identity of each table, also of its partitions', async () => {
    await runSql(inject('stack'), 'postgres', [
      `DROP SCHEMA IF EXISTS ${schema} CASCADE`,
      `CREATE SCHEMA ${schema}`,
      `CREATE TABLE ${schema}.a (x int, "Id" int, PRIMARY KEY ("Id", x))`,
      `CREATE TABLE ${schema}.f (id int)`,
      `ALTER TABLE ${schema}.f REPLICA IDENTITY FULL`,
      `CREATE TABLE ${schema}.i (id int PRIMARY KEY, x int NOT NULL)`,
      `CREATE UNIQUE INDEX i_x ON ${schema}.i (x)`,
      `ALTER TABLE ${schema}.i REPLICA IDENTITY USING INDEX i_x`,
      `CREATE TABLE ${schema}.n (id int)`,
      `CREATE TABLE ${schema}.p (id int PRIMARY KEY) PARTITION BY HASH (id)`,
      `CREATE TABLE ${schema}.p0 PARTITION OF ${schema}.p FOR VALUES WITH (MODULUS 2, REMAINDER 0)`,
      `CREATE TABLE ${schema}.p1 PARTITION OF ${schema}.p FOR VALUES WITH (MODULUS 2, REMAINDER 1)`,
      `ALTER TABLE ${schema}.p1 REPLICA IDENTITY NOTHING`,
    ])
    const { settings, identities } = await logFactsOf('postgres')
    await runSql(inject('stack'), 'postgres', [`DROP SCHEMA ${schema} CASCADE`])
    expect(settings.get('wal_level')).toBe('logical')
    const own = identities.filter(({ table }) => table.startsWith(`${schema}.`))
    expect(own.map(({ table, kind, columns }) => [table.split('.')[1], kind, columns])).toEqual([
      ['a', 'default', ['Id', 'x']],
      ['f', 'full', []],
      ['i', 'index', ['x']],
      ['n', 'default', []],
      ['p', 'default', ['id']],
      ['p', 'nothing', []],
    ])
  })
})

describe('forager verify', () => {
  it('ends with 0 when what is asked for is equal, and with 1 when not', async () => {
    await inFolder(async program => {
      await program.write('forager.yaml', configText(portOf('mariadb', inject('stack'))))
      const verify = ['verify', 'forager.yaml', '--json']
      const same = await program.run([...verify, '--table', `${schema}.same`], { env })
      const lines = same.stdout.trim().split('\n')
      expect(lines.map(line => JSON.parse(line) as unknown)).toEqual([
        expect.objectContaining({ table: `${schema}.same`, status: 'equal', sourceRows: 1 }),
        { isEqual: true, tables: 1, different: [], unknown: [], dropped: [], note: null },
      ])
      expect([same.code, same.stderr]).toEqual([0, ''])
      const all = await program.run(['verify', 'forager.yaml'], { env })
      expect(all.stdout).toMatch(
        new RegExp(`^${schema}\\.grown \\(.*\\): DIFFERENT: 1 column lacking$`, 'm'),
      )
      expect(all.stdout).toMatch(/^3 of 4 tables equal, 1 different\.$/m)
      expect(all.code).toBe(1)
    })
  })

  it('ends with 2 when the configuration does not say where the database is', async () => {
    await inFolder(async program => {
      await program.write('forager.yaml', configText(1).replace(/ {2}database: .*\n/, ''))
      const { code, stderr } = await program.run(['verify', 'forager.yaml'], { env })
      expect(stderr).toMatch(/source\.database is missing/)
      expect(code).toBe(2)
    })
  })
})
