/**
 * What a worker of Connect rarely does, played by a server of this process. What it usually does is in
 * `test/stack/connectors.test.ts`, with a real one.
 */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { describe, expect, it } from 'vitest'
import { configSchema } from '../../../cli/config-schema.ts'
import type { ApplyOptions } from '../../../cli/connect/apply-connectors.ts'
import { applyConnectors } from '../../../cli/connect/apply-connectors.ts'
import { findingText } from '../../../cli/connect/finding.ts'
import type { Clock } from '../../../runtime/clock.ts'

const secret = 'tell-nobody'
const className = 'io.debezium.connector.postgresql.PostgresConnector'
const settings = {
  'connector.class': className,
  'topic.prefix': 'shop',
  'topic.creation.default.partitions': '1',
  'skipped.operations': 'none',
  'value.converter': 'org.apache.kafka.connect.json.JsonConverter',
  'value.converter.replace.null.with.default': 'false',
  'database.password': secret,
}
const config = configSchema.parse({
  applicationId: 'shop',
  source: { type: 'kafka', brokers: ['k:9092'], topics: ['shop.*'], format: 'debezium-json' },
  tables: [{ from: 'public.*', to: 'ods.{table}' }],
  warehouse: { type: 'embedded', path: 'w' },
})

/** Time passes by waiting alone. */
function clockOfWaits(): Clock {
  let ms = 0
  return {
    now: () => ms,
    monotonic: () => ms,
    sleep: given => {
      ms += given
      return Promise.resolve()
    },
    yield: () => Promise.resolve(),
  }
}

interface Asked {
  readonly method: string
  readonly path: string
  readonly authorization: string | undefined
  readonly body: string
}

type Answer = readonly [status: number, body: unknown]

const running = { connector: { state: 'RUNNING' }, tasks: [{ id: 0, state: 'RUNNING' }] }
const failed = (trace: string) => ({
  connector: { state: 'RUNNING' },
  tasks: [{ id: 0, state: 'FAILED', trace }],
})

/** Answers of a path are given one after the other, and the last one for ever. */
class Worker {
  readonly asked: Asked[] = []
  readonly #answers = new Map<string, Answer[]>([
    ['GET /connector-plugins', [[200, [{ class: className }]]]],
    [`PUT /connector-plugins/${className}/config/validate`, [[200, { configs: [] }]]],
    ['GET /connectors/shop/config', [[404, {}]]],
    ['PUT /connectors/shop/config', [[201, {}]]],
    ['GET /connectors/shop/status', [[200, running]]],
    ['POST /connectors/shop/restart?includeTasks=true&onlyFailed=true', [[202, {}]]],
  ])

  answers(path: string, ...answers: readonly Answer[]): this {
    if (!this.#answers.has(path)) throw new Error(`nobody asks ${path}`)
    this.#answers.set(path, [...answers])
    return this
  }

  count(path: string): number {
    return this.asked.filter(one => `${one.method} ${one.path}` === path).length
  }

  async apply({
    user,
    ...more
  }: Partial<ApplyOptions> & { readonly user?: ApplyOptions['address']['user'] } = {}): Promise<{
    outcome: string
    lines: string
  }> {
    const server = createServer((request, response) => {
      void text(request).then(body => {
        const { method = '', url: path = '', headers } = request
        this.asked.push({ method, path, authorization: headers.authorization, body })
        const answers = this.#answers.get(`${method} ${path}`) ?? [[404, {}]]
        const [status, found] = answers.length > 1 ? answers.shift()! : answers[0]!
        response.writeHead(status).end(JSON.stringify(found))
      })
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    try {
      const found = applyConnectors({
        config,
        address: { url, ...(user !== undefined && { user }) },
        connectors: { shop: settings },
        secrets: [],
        clock: clockOfWaits(),
        waitMs: 60_000,
        dryRun: false,
        force: false,
        restartFailed: false,
        ...more,
      })
      let lines = ''
      for (;;) {
        const next = await found.next()
        if (next.done === true) return { outcome: next.value.outcome, lines }
        lines += findingText(next.value)
      }
    } finally {
      server.closeAllConnections()
      server.close()
    }
  }
}

const put = 'PUT /connectors/shop/config'
const status = 'GET /connectors/shop/status'
const has = 'GET /connectors/shop/config'
const same = { ...settings, name: 'shop' }

describe('a worker', () => {
  it('that is being rebalanced is told again', async () => {
    const worker = new Worker().answers(put, [409, {}], [409, {}], [201, {}])
    const { outcome, lines } = await worker.apply()
    expect([outcome, lines]).toEqual(['done', 'ok    connector shop: created; it runs, 1 task.\n'])
    expect(worker.count(put)).toBe(3)
  })

  it('that is being rebalanced for ever is given up', async () => {
    const worker = new Worker().answers(put, [409, { message: 'rebalance' }])
    await expect(worker.apply()).rejects.toThrow(/^Kafka Connect at \S+ answers 409: rebalance$/)
  })

  it('that still tells of the failure before a change is asked again', async () => {
    const old = failed('org.Old: it\n\tat somewhere')
    const worker = new Worker()
      .answers(has, [200, { ...same, 'topic.prefix': 'was' }])
      .answers(status, [200, old], [200, old], [200, old], [200, running])
    const { outcome, lines } = await worker.apply()
    expect(outcome).toBe('done')
    expect(lines).toBe('ok    connector shop: updated (topic.prefix); it runs, 1 task.\n')
  })

  it('whose connector runs for a moment alone does not count as running', async () => {
    const worker = new Worker().answers(
      status,
      [404, {}],
      [200, running],
      [200, failed('org.First: a\n\tat b\nCaused by: org.Last: c\n\tat d')],
    )
    const { outcome, lines } = await worker.apply()
    expect(outcome).toBe('failed')
    expect(lines).toBe(
      'WRONG connector shop: created; task 0 failed: org.First: a (Caused by: org.Last: c): ' +
        'mend the cause, and apply with --restart-failed.\n',
    )
  })

  it('whose connector never runs is waited for as long as was said', async () => {
    const never = { connector: { state: 'UNASSIGNED' }, tasks: [] }
    const worker = new Worker().answers(status, [200, never])
    const { outcome, lines } = await worker.apply({ waitMs: 5000 })
    expect(outcome).toBe('failed')
    expect(lines).toMatch(/after 5 s it does not run \(the connector UNASSIGNED\): .*--wait/)
  })

  it('restarts what failed only when it is told to, and nothing else', async () => {
    const broken = failed('org.Broken: x')
    const restart = 'POST /connectors/shop/restart?includeTasks=true&onlyFailed=true'
    const worker = new Worker().answers(has, [200, same]).answers(status, [200, broken])
    expect((await worker.apply()).outcome).toBe('failed')
    expect([worker.count(restart), worker.count(put)]).toEqual([0, 0])
    worker.answers(status, [200, broken], [200, broken], [200, running])
    expect((await worker.apply({ restartFailed: true })).outcome).toBe('done')
    expect((await worker.apply({ restartFailed: true })).outcome).toBe('done')
    expect([worker.count(restart), worker.count(put)]).toEqual([1, 0])
  })

  it('that repeats a secret, or says it in an error, does not have it shown', async () => {
    const errors = [{ value: { name: 'database.password', errors: [`bad ${secret} of put-in`] } }]
    const path = `PUT /connector-plugins/${className}/config/validate`
    const told = await new Worker()
      .answers(path, [200, { configs: errors }])
      .apply({ secrets: ['put-in'] })
    expect(told.outcome).toBe('invalid')
    expect(told.lines).toContain('database.password: bad *** of ***.')
    const trace = failed(`org.Trace: ${secret}`)
    const traced = await new Worker().answers(status, [404, {}], [200, trace]).apply()
    expect(traced.lines).toContain('org.Trace: ***')
    const worker = new Worker().answers(put, [500, { message: `no ${secret}` }])
    await expect(worker.apply()).rejects.toThrow(/^Kafka Connect at \S+ answers 500: no \*\*\*$/)
  })

  it('is told who asks', async () => {
    const worker = new Worker()
    expect((await worker.apply({ user: { name: 'me', password: 'my:word' } })).outcome).toBe('done')
    const basic = `Basic ${Buffer.from('me:my:word').toString('base64')}`
    expect(new Set(worker.asked.map(({ authorization }) => authorization))).toEqual(
      new Set([basic]),
    )
  })

  it('that is no Connect is said to be none', async () => {
    const worker = new Worker().answers('GET /connector-plugins', [200, { hello: 'world' }])
    await expect(worker.apply()).rejects.toThrow(/is it the address of Kafka Connect\?$/)
  })
})
