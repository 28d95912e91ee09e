/**
 * The real program with a marked secret in each place that takes one, against servers that refuse and quote
 * what they were told: no mark is in anything that it prints, shows or keeps.
 */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import type { Outcome, Program } from '../cli/program.ts'
import { inFolder } from '../cli/program.ts'
import { changeLine, fileOf } from '../cli/recorded.ts'
import type { EchoServer } from './echo-servers.ts'
import { httpEcho, plainEcho, postgresEcho, saslEcho } from './echo-servers.ts'

/** Each is in the environment under its name, and in no file. */
const names = [
  'SASL',
  'REGISTRY',
  'HIVE',
  'HDFS',
  'DATABASE',
  'HISTORY',
  'TOKEN',
  'CONNECT',
  'CONNECTOR',
  'URL',
] as const

type Name = (typeof names)[number]

/** As generators make them; one stands in addresses, too. */
const secretOf = (name: Name): string =>
  `Mark-${name.toLowerCase()}-9d3f${name === 'URL' ? '-x-7e1b' : '/x+7e1b'}`
const env = Object.fromEntries(names.map(name => [`SECRET_${name}`, secretOf(name)]))

/** A secret as it may stand somewhere: alone, in a URL, as basic authentication has it, in a binary file. */
function formsOf(name: Name): readonly string[] {
  const secret = secretOf(name)
  const core = `Mark-${name.toLowerCase()}-9d3f`
  const basic = Buffer.from(`me:${secret}`).toString('base64')
  return [core, encodeURIComponent(secret), basic.slice(6, 24)]
}

async function filesIn(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  return entries.filter(one => one.isFile()).map(one => join(one.parentPath, one.name))
}

/** Every place where a secret was found. */
async function leaksIn(program: Program, outcome: Outcome): Promise<readonly string[]> {
  const texts = new Map([
    ['stdout', outcome.stdout],
    ['stderr', outcome.stderr],
  ])
  for (const file of await filesIn(program.folder)) {
    texts.set(file.slice(program.folder.length), (await readFile(file)).toString('latin1'))
  }
  return [...texts].flatMap(([place, text]) =>
    names.flatMap(name => {
      const form = formsOf(name).find(one => text.includes(one))
      if (form === undefined) return []
      const at = text.indexOf(form)
      return [`${name} in ${place}: ${text.slice(Math.max(0, at - 150), at + 40)}`]
    }),
  )
}

// Each test starts the program; the deadline catches what hangs.
vi.setConfig({ testTimeout: 300_000 })

let http: EchoServer
let postgres: EchoServer
let hive: EchoServer
let broker: EchoServer

beforeAll(async () => {
  http = await httpEcho(401)
  postgres = await postgresEcho()
  hive = await saslEcho()
  broker = await plainEcho()
})

afterAll(async () => {
  await Promise.all([http, postgres, hive, broker].map(server => server.close()))
})

const row = changeLine(0, 'c', 1, '{"id": 1, "name": "a"}')
const avro = { ...row, key: null, value: null, value_b64: 'AAAAAAcCAg==' }

const kafka = (): string => `applicationId: shop
source:
  type: kafka
  brokers: ["127.0.0.1:${broker.port}"]
  topics: ["shop.*"]
  format: debezium-avro
  retryTimeout: 1s
  requestTimeout: 1s
  sasl: { mechanism: PLAIN, username: me, password: "\${env:SECRET_SASL}" }
  registry: { type: confluent, url: "http://127.0.0.1:${http.port}", username: me, password: "\${env:SECRET_REGISTRY}" }
  database: { type: postgres, host: 127.0.0.1, port: ${postgres.port}, user: me, password: "\${env:SECRET_DATABASE}" }
tables: [{ from: "demo.*", to: "ods.{table}" }]
${targets()}
history: { type: postgres, host: 127.0.0.1, port: ${postgres.port}, user: me, password: "\${env:SECRET_HISTORY}", database: d, timeout: 2s }
http: { port: 0, token: "\${env:SECRET_TOKEN}" }
connectors:
  url: "http://127.0.0.1:${http.port}"
  username: me
  password: "\${env:SECRET_CONNECT}"
  configs:
    shop:
      connector.class: io.debezium.connector.postgresql.PostgresConnector
      topic.prefix: shop
      database.password: "\${env:SECRET_CONNECTOR}"
`

const targets = (): string => `warehouse:
  type: hive
  host: 127.0.0.1
  port: ${hive.port}
  auth: { type: ldap, username: me, password: "\${env:SECRET_HIVE}" }
  statementTimeout: 2s
  drainTimeout: 1s
staging: { type: webhdfs, urls: ["http://127.0.0.1:${http.port}"], location: "hdfs://n", path: /forager, delegationToken: "\${env:SECRET_HDFS}", retryTimeout: 1s, requestTimeout: 1s }`

const fileSource = (format: string, more: string, rest: string): string => `applicationId: shop
source: { type: file, path: events.jsonl, format: ${format}${more} }
tables: [{ from: "demo.*", to: "ods.{table}" }]
${rest}
`

/** What ran, and that none of it told a secret; `told` is who was told one. */
async function expectSilence(
  configuration: string,
  args: readonly string[],
  lines: readonly object[] = [row],
): Promise<Outcome> {
  return await inFolder(async program => {
    await program.write('forager.yaml', configuration)
    await program.write('events.jsonl', fileOf(lines as never))
    const outcome = await program.run(args, { env: { ...env, FORAGER_DEBUG: '1' } })
    expect(await leaksIn(program, outcome)).toEqual([])
    return outcome
  })
}

describe('no secret is told, though the server that refuses it quotes it:', () => {
  it('a registry’s password', async () => {
    const url = `http://127.0.0.1:${http.port}`
    const more = `, registry: { type: confluent, url: "${url}", username: me, password: "\${env:SECRET_REGISTRY}" }`
    const rest = 'warehouse: { type: embedded, path: ./warehouse }'
    const text = fileSource('debezium-avro', more, rest)
    const { code, stderr } = await expectSilence(
      text,
      ['run', 'forager.yaml', '--log', 'json'],
      [avro],
    )
    expect(code).toBe(1)
    expect(stderr).toContain('401')
    expect(http.heard()).toContain(secretOf('REGISTRY'))
  })

  it('a registry’s password in its address', async () => {
    const more = `, registry: { type: confluent, url: "http://me:\${env:SECRET_URL}@127.0.0.1:${http.port}" }`
    const rest = 'warehouse: { type: embedded, path: ./warehouse }'
    const text = fileSource('debezium-avro', more, rest)
    const { code, stderr } = await expectSilence(text, ['run', 'forager.yaml'], [avro])
    expect(code).toBe(2)
    expect(stderr).toContain('has a user or a password in it')
  })

  it('those of HDFS and of Hive', async () => {
    const text = fileSource('debezium-json', '', targets())
    const { code } = await expectSilence(text, ['run', 'forager.yaml', '--log', 'json'])
    expect(code).not.toBe(0)
    expect(http.heard()).toContain(secretOf('HDFS'))
  })

  it('one of HDFS that is too short to be looked for everywhere; and its shortness is said', async () => {
    const short = 'tk-7+q'
    const rest = targets().replace('SECRET_HDFS', 'SHORT')
    await inFolder(async program => {
      await program.write('forager.yaml', fileSource('debezium-json', '', rest))
      await program.write('events.jsonl', fileOf([row] as never))
      const all = { env: { ...env, SHORT: short, FORAGER_DEBUG: '1' } }
      const { code, stdout, stderr } = await program.run(
        ['run', 'forager.yaml', '--log', 'json'],
        all,
      )
      expect(code).not.toBe(0)
      expect(http.heard()).toContain(`delegation=${short}`)
      // The server quoted it: there is the place where it stood.
      expect(stderr).toContain('delegation=***')
      expect(stdout + stderr).not.toContain(short)
      expect(stderr).toMatch(
        /"event":"config.short-secret".*staging.delegationToken has fewer than 8 /,
      )
      const check = await program.run(['check', 'forager.yaml'], all)
      expect(check.stdout).toContain('note: staging.delegationToken has fewer than 8 characters')
      const long = await program.run(['check', 'forager.yaml'], {
        env: { ...all.env, SHORT: `${short}-and-more` },
      })
      expect(long.stdout).not.toContain('fewer than')
    })
  })

  it('those of HDFS and of the history, over HTTP while it runs', async () => {
    const busy = await httpEcho(503)
    // Whoever listened there is gone: it is free.
    const gone = await plainEcho()
    await gone.close()
    const rest = `${targets()}
history: { type: postgres, host: 127.0.0.1, port: ${postgres.port}, user: me, password: "\${env:SECRET_HISTORY}", database: d }
http: { port: ${gone.port}, token: "\${env:SECRET_TOKEN}" }`
      .replace(`127.0.0.1:${http.port}`, `127.0.0.1:${busy.port}`)
      .replace('retryTimeout: 1s', 'retryTimeout: 10m')
    await inFolder(async program => {
      await program.write('forager.yaml', fileSource('debezium-json', '', rest))
      await program.write('events.jsonl', fileOf([row] as never))
      let stop: (() => void) | null = null
      const running = program.run(['run', 'forager.yaml', '--log', 'json'], {
        env,
        onError: (_, kill) => {
          stop = () => kill('SIGKILL')
        },
      })
      await vi.waitFor(() => expect(busy.heard()).toContain(secretOf('HDFS')), 120_000)
      await vi.waitFor(() => expect(stop).not.toBeNull(), 120_000)
      const answers = await Promise.all(
        ['/metrics', '/status', '/health/ready', '/history', '/history/ods.t', '/no'].map(
          async path => {
            const headers = { authorization: `Bearer ${secretOf('TOKEN')}` }
            const answer = await fetch(`http://127.0.0.1:${gone.port}${path}`, { headers })
            return `${path} ${answer.status} ${await answer.text()}`
          },
        ),
      )
      stop!()
      const { stdout, stderr } = await running
      expect(stderr).toContain('staging.retried')
      expect(answers.join('\n')).toContain('/status 200')
      const shown = { code: null, stdout: `${stdout}\n${answers.join('\n')}`, stderr }
      expect(await leaksIn(program, shown)).toEqual([])
    })
    await busy.close()
  })

  it('Hive’s, the database’s, the history’s and a registry’s in a check', async () => {
    const { stdout } = await expectSilence(kafka(), ['check', 'forager.yaml', '--connect'])
    expect(stdout).toContain('127.0.0.1')
    expect(hive.heard()).toContain(secretOf('HIVE'))
    expect(postgres.heard()).toContain(secretOf('DATABASE'))
  })

  it('a broker’s, and the history’s, in a run', async () => {
    const { code } = await expectSilence(kafka(), ['run', 'forager.yaml', '--log', 'json'])
    expect(code).not.toBe(0)
  })

  it('the history’s', async () => {
    const text = fileSource(
      'debezium-json',
      '',
      `warehouse: { type: embedded, path: ./warehouse }
history: { type: postgres, host: 127.0.0.1, port: ${postgres.port}, user: me, password: "\${env:SECRET_HISTORY}", database: d }
http: { port: 0, token: "\${env:SECRET_TOKEN}" }`,
    )
    const ran = await expectSilence(text, ['run', 'forager.yaml', '--log', 'json'])
    expect(ran.code).toBe(0)
    expect(postgres.heard()).toContain(secretOf('HISTORY'))
    const told = await expectSilence(text, ['history', 'forager.yaml'])
    expect(told.code).not.toBe(0)
  })

  it('Connect’s, and those of its connectors', async () => {
    const { code } = await expectSilence(kafka(), [
      'connectors',
      'apply',
      'forager.yaml',
      '--force',
    ])
    expect(code).not.toBe(0)
    expect(http.heard()).toContain(secretOf('CONNECT'))
    const password = encodeURIComponent(secretOf('URL'))
    const url = `http://me:${password}@127.0.0.1:${http.port}`
    for (const args of [
      ['connectors', 'apply', 'forager.yaml', '--force', '--connect-url', url],
      ['check', 'forager.yaml', '--kafka-connect', url],
    ]) {
      await expectSilence(kafka(), args)
    }
    expect(http.heard()).toContain(secretOf('URL'))
  })

  it('the database’s, of a comparison', async () => {
    const { code } = await expectSilence(kafka(), ['verify', 'forager.yaml'])
    expect(code).not.toBe(0)
  })
})
