/**
 * Debezium in Avro with real servers: from MariaDB and PostgreSQL through Connect, its converter and a
 * schema registry, to tables that are equal to the databases; and what becomes of a run without its registry.
 */
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { seededRandom } from '../../runtime/random.ts'
import { registryUrl } from '../../scripts/stack/registry.ts'
import { down, up } from '../../scripts/stack/stack.ts'
import { allTypes } from './all-types.ts'
import { AvroSite } from './avro-site.ts'
import { program, programSchema } from './hive/sql-program.ts'
import { produce, until } from './instances.ts'
import { credentials, RegistryProxy } from './registry-proxy.ts'

const stack = inject('stack')
const servers = ['connect', 'mariadb', 'postgres', 'registry']
const quiet = (): void => undefined

// The first time it fetches them.
beforeAll(() => up(servers, stack, quiet), 900_000)
afterAll(() => down(servers, stack, quiet))

/**
 * Rows of every type are changed, take other keys, and go. MariaDB's log leaves zeros out at the end of a
 * UUID, and Debezium then reads another one: the UUID that ends with zeros is replaced.
 */
const typeChanges = {
  mariadb: [
    `UPDATE @S@.types SET u = '123e4567-e89b-12d3-a456-426614174001', tx = 'changed', d = -0.0001, dtm6 = '2001-02-03 04:05:06.000007' WHERE id = 1`,
    `UPDATE @S@.types SET id = 18446744073709551614, e = 'b c' WHERE id = 18446744073709551615`,
    `DELETE FROM @S@.types WHERE id = 9223372036854775808`,
  ],
  postgres: [
    `UPDATE @S@.types SET tx = 'changed', n = -0.0001, nn = 12345678901234567890.123 WHERE id = 1.5`,
    `UPDATE @S@.types SET id = -2.01, feel = 'glad' WHERE id = -2`,
    `DELETE FROM @S@.types WHERE id = 10`,
  ],
}

const wordChanges = [
  `UPDATE @S@.words SET v = 'y' WHERE n = 1`,
  `UPDATE @S@.words SET n = n + 100 WHERE word = 'a'`,
  `DELETE FROM @S@.words WHERE word = 'B'`,
  // Old keys are in headers, which Connect writes in its own way.
  `UPDATE @S@.words SET word = 'tab' WHERE word LIKE 'a_b'`,
]

/** A column comes while rows are written: what was there has null in it. */
const newColumn = [
  'ALTER TABLE @S@.plain ADD COLUMN more VARCHAR(20)',
  `INSERT INTO @S@.plain (id, v, more) VALUES (7000, 'seven', 'new'), (7001, 'eight', NULL)`,
  `UPDATE @S@.plain SET more = 'old' WHERE id < 30`,
]

it.each(['mariadb', 'postgres'] as const)(
  'what %s has is in the tables: every type, and changes while a column is added',
  async kind => {
    const schema = [...programSchema(kind), ...allTypes[kind]]
    await AvroSite.use({ kind, name: 'avro', schema }, async site => {
      const transactions = [...program(seededRandom(31), 150)]
      const half = Math.ceil(transactions.length / 2)
      site.running.start()
      await site.untilEqual()
      await site.sql(...transactions.slice(0, half).flat(), ...typeChanges[kind], ...wordChanges)
      await site.sql(...newColumn)
      await site.sql(...transactions.slice(half).flat())
      await site.untilEqual()
      expect(new Set(await site.schemaIds('plain')).size).toBe(2)
      await site.running.stop()
      expect(await site.differences()).toEqual([])
    })
  },
)

describe('without an answer of the registry', () => {
  const options = {
    kind: 'mariadb',
    schema: [
      ...programSchema('mariadb'),
      `INSERT INTO @S@.plain VALUES (1, 'one', 1.5), (2, 'two', NULL)`,
    ],
  } as const

  it('what is known goes on; a run that begins stops after retryTimeout, or waits, and loses nothing', async () => {
    // With schemas of their own, which the connector may not have registered yet.
    const connector = { 'provide.transaction.metadata': 'false', 'heartbeat.interval.ms': '0' }
    await AvroSite.use({ ...options, connector, name: 'registrydown' }, async site => {
      const first = site.running.start()
      await site.untilEqual()
      await down(['registry'], stack, quiet)
      try {
        await site.sql(`UPDATE @S@.plain SET v = 'known' WHERE id = 1`)
        await site.untilEqual()
        expect((await first.stop()).code).toBe(0)
        await site.sql(
          `UPDATE @S@.plain SET id = 30, v = 'moved' WHERE id = 1`,
          `INSERT INTO @S@.plain VALUES (3, 'three', 3.3333)`,
          `DELETE FROM @S@.plain WHERE id = 2`,
        )
        site.running.configure(site.config({ retryTimeout: '2s' }))
        const second = site.running.start()
        expect((await second.ended).code).toBe(1)
        expect(second.stderr).toContain('[registry-unreachable]')
        site.running.configure(site.config({ retryTimeout: '10m' }))
        const third = site.running.start()
        await until('it has tasks', () => has(third.lines, 'tasks.assigned'))
      } finally {
        await up(['registry'], stack, quiet)
      }
      await site.untilEqual()
      await site.running.stop()
      expect(await site.differences()).toEqual([])
    })
  })

  it('that is asked over TLS with a password, and cut off: a schema that is new is waited for', async () => {
    await AvroSite.use({ ...options, name: 'registrytls' }, async site => {
      const folder = join(site.running.folder, 'certificates')
      const { origin, pathname } = new URL(registryUrl(stack))
      const proxy = await RegistryProxy.open(folder, origin)
      try {
        const url = `${proxy.address}${pathname}`
        const tls = { ca: `\${file:${join(folder, 'ca.pem')}}` }
        const bad = [
          [
            { url, tls, ...credentials, password: 'other' },
            /answers 401 .*\[registry-unreachable\]/s,
          ],
          [{ url, ...credentials }, /certificate.*\[registry-unreachable\]/s],
        ] as const
        for (const [registry, says] of bad) {
          site.running.configure(site.config({ ...registry, retryTimeout: '1s' }))
          const instance = site.running.start()
          expect((await instance.ended).code).toBe(1)
          expect(instance.stderr).toMatch(says)
        }
        site.running.configure(site.config({ url, tls, ...credentials, retryTimeout: '10m' }))
        site.running.start()
        await site.untilEqual()
        await proxy.close()
        await site.sql(...newColumn)
        await until(
          'rows have a new schema',
          async () => (await site.schemaIds('plain')).length === 2,
        )
        expect(await site.differences()).not.toEqual([])
        await proxy.open()
        await site.untilEqual()
        await site.running.stop()
        expect(await site.differences()).toEqual([])
      } finally {
        await proxy.close()
      }
    })
  })

  it('an id that it does not have stops the run, or is passed as `onError` says', async () => {
    await AvroSite.use({ ...options, name: 'bogusid' }, async site => {
      const first = site.running.start()
      await site.untilEqual()
      const [plain] = await site.schemaIds('plain')
      const bogus = Buffer.from([0, 0x7f, 0xff, 0xff, 0xff, 2])
      expect(bogus.readInt32BE(1)).not.toBe(plain)
      const at = {
        topic: site.topicOf('plain'),
        partition: 0,
        offset: 0,
        timestampMs: 1,
        headers: [],
      }
      await produce(site.log, [{ ...at, key: bogus, value: bogus }])
      expect((await first.ended).code).toBe(1)
      expect(first.stderr).toContain('[schema-missing]')
      expect(first.stderr).toContain(`topic ${at.topic}, partition 0`)
      await site.sql(
        ...Array.from(
          { length: 20 },
          (_, id) => `INSERT INTO @S@.plain VALUES (${id + 100}, 'later', 0)`,
        ),
      )
      site.running.configure(site.config({}, { onError: 'skip' }))
      const second = site.running.start()
      await site.untilEqual()
      await site.running.stop()
      expect(await site.differences()).toEqual([])
      const skipped = second.lines.filter(({ event }) => event === 'message.skipped')
      expect(skipped).toHaveLength(1)
      expect(skipped[0]!.reason).toContain(`topic ${at.topic}, partition 0`)
    })
  })
})

function has(lines: readonly { readonly event: string }[], wanted: string): boolean {
  return lines.some(({ event }) => event === wanted)
}
