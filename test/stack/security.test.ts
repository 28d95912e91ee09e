/**
 * TLS and SASL on a real broker, the program run end to end with secrets from files; and what it says
 * when the broker is not trusted or does not let it in.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, inject, it } from 'vitest'
import { KafkaLog } from '../../log/kafka/kafka-log.ts'
import { systemClock } from '../../runtime/clock.ts'
import { systemRandom } from '../../runtime/random.ts'
import { certificatesFolder } from '../../scripts/stack/kafka.ts'
import { kafkaPort, securePorts } from '../../scripts/stack/parts.ts'
import { down, up } from '../../scripts/stack/stack.ts'
import { newName, partitionsOf, until } from './instances.ts'
import { expectedOrders, orderRecords, orderTypes } from './orders.ts'
import { Running, writeInParts } from './running.ts'
import { readTable, tableDifferences } from './tables.ts'

const stack = inject('stack')
const ports = securePorts(stack)
const certificates = certificatesFolder(stack)
const fileIn = (name: string): string => `\${file:${join(certificates, name)}}`

/** The listener that brokers use among themselves: tests write and look through it. */
const log = new KafkaLog({
  brokers: [`127.0.0.1:${kafkaPort(stack) + 8}`],
  clientId: 'test',
  clock: systemClock,
  random: systemRandom,
})

beforeAll(async () => {
  await up(['kafka-secure'], stack, () => undefined)
}, 240_000)

afterAll(async () => {
  await log.close()
  await down(['kafka-secure'], stack, () => undefined)
})

const tls = { ca: fileIn('ca.pem') }

/** A token without a signature, as the broker takes it for trials. */
function unsignedToken(): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  const now = Math.floor(systemClock.now() / 1000)
  return `${part({ alg: 'none' })}.${part({ sub: 'forager', iat: now, exp: now + 3600 })}.`
}

interface Case {
  readonly title: string
  readonly port: number
  /** Null: without TLS. */
  readonly tls: object | null
  readonly sasl?: object
  /** Written into a file that the configuration names. */
  readonly secret?: string
}

const secretFile = `\${file:secret}`

function sasl(mechanism: string, secret: string): Pick<Case, 'sasl' | 'secret'> {
  const password = { username: 'forager', password: secretFile }
  const given = mechanism === 'OAUTHBEARER' ? { token: secretFile } : password
  return { sasl: { mechanism, ...given }, secret: `${secret}\n` }
}

const good: readonly Case[] = [
  { title: 'TLS', port: ports.tls, tls },
  {
    title: 'TLS with a certificate of the client',
    port: ports.mutual,
    tls: { ...tls, cert: fileIn('client.crt'), key: fileIn('client.key') },
  },
  { title: 'SASL PLAIN', port: ports.sasl, tls, ...sasl('PLAIN', 'plain-secret') },
  {
    title: 'SASL SCRAM-SHA-256',
    port: ports.sasl,
    tls,
    ...sasl('SCRAM-SHA-256', 'scram-sha-256-secret'),
  },
  {
    title: 'SASL SCRAM-SHA-512',
    port: ports.sasl,
    tls,
    ...sasl('SCRAM-SHA-512', 'scram-sha-512-secret'),
  },
  { title: 'SASL OAUTHBEARER', port: ports.sasl, tls, ...sasl('OAUTHBEARER', unsignedToken()) },
]

const bad: readonly (Case & { readonly says: RegExp })[] = [
  {
    title: 'a certificate that nobody vouches for',
    port: ports.tls,
    tls: {},
    says: /kafka-untrusted.*source\.tls\.ca/s,
  },
  {
    title: 'a certificate of another authority',
    port: ports.sasl,
    tls: { ca: fileIn('other-ca.pem') },
    ...sasl('PLAIN', 'plain-secret'),
    says: /kafka-untrusted.*source\.tls\.ca/s,
  },
  {
    title: 'no certificate where the broker wants one',
    port: ports.mutual,
    tls,
    says: /kafka-untrusted.*source\.tls\.cert/s,
  },
  {
    title: 'no TLS where the broker speaks nothing else',
    port: ports.tls,
    tls: null,
    says: /kafka-untrusted.*source\.tls/s,
  },
  {
    title: 'a wrong password (PLAIN)',
    port: ports.sasl,
    tls,
    ...sasl('PLAIN', 'guessed'),
    says: /kafka-refused.*credentials/s,
  },
  {
    title: 'a wrong password (SCRAM-SHA-256)',
    port: ports.sasl,
    tls,
    ...sasl('SCRAM-SHA-256', 'guessed'),
    says: /kafka-refused.*credentials/s,
  },
  {
    title: 'a wrong password (SCRAM-SHA-512)',
    port: ports.sasl,
    tls,
    ...sasl('SCRAM-SHA-512', 'guessed'),
    says: /kafka-refused.*credentials/s,
  },
  {
    title: 'a token that is not one',
    port: ports.sasl,
    tls,
    ...sasl('OAUTHBEARER', 'nonsense'),
    says: /kafka-refused.*credentials/s,
  },
]

function configOf({ port, tls: given, sasl: by }: Case, topic: string): object {
  return {
    source: {
      type: 'kafka',
      brokers: [`127.0.0.1:${port}`],
      topics: [topic],
      format: 'debezium-json',
      ...(given === null ? {} : { tls: given }),
      ...(by === undefined ? {} : { sasl: by }),
    },
    tables: [{ from: 'shop.*', to: '{table}', columns: { types: orderTypes } }],
    warehouse: { type: 'embedded', path: 'warehouse' },
    window: { maxAge: '200ms' },
    commitInterval: '100ms',
  }
}

function writeSecret({ folder }: Running, { secret }: Case): void {
  if (secret !== undefined) writeFileSync(join(folder, 'secret'), secret)
}

it.each(good)('$title: tables are kept in step', async one => {
  const topic = newName('secure')
  await log.createTopic({ name: topic, partitions: 1, cleanup: 'delete' })
  const orders = { topicOf: () => topic, partitions: 1, tables: 1, ids: 50, events: 120 }
  await writeInParts(log, orderRecords(orders))
  await Running.use({ name: 'secure', log, config: configOf(one, topic) }, async running => {
    writeSecret(running, one)
    running.start()
    await running.untilApplied(partitionsOf(topic, 1))
    await running.stop()
    const rows = await readTable(running.warehouse, 't000')
    const expected = expectedOrders(0, orders)
    expect(tableDifferences(rows, ({ id }) => String(id), expected)).toEqual([])
  })
})

it.each(bad)('$title: it ends at once, and says what to do', async one => {
  await Running.use({ name: 'refused', log, config: configOf(one, 'none') }, async running => {
    writeSecret(running, one)
    const instance = running.start()
    await until('it ends by itself', () => !instance.isRunning, 60_000)
    expect(await instance.ended).toEqual({ code: 1, signal: null })
    expect(instance.stderr).toMatch(one.says)
    expect(instance.stderr).not.toContain('plain-secret')
    expect(instance.stderr).not.toContain('guessed')
  })
})
