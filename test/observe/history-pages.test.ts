import { request } from 'node:http'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { answerHistory } from '../../cli/history/answer-history.ts'
import type { History } from '../../observe/history/history.ts'
import { sqliteHistory } from '../../observe/history/sqlite-history.ts'
import { HttpServer } from '../../observe/http-server.ts'
import { ManualClock } from '../../testkit/manual-clock.ts'
import { inTemporaryFolder } from '../log/logs.ts'
import { application, recorderOf } from './history/recorded-driver.ts'

const token = 'a-token-of-some-length'
const hostile = `a/b "c" 'd'; DROP TABLE forager_statements; -- ü`

interface Answer {
  readonly status: number
  readonly body: string
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
}

/** Not by `fetch`, which mends paths. */
function ask(port: number, path: string, given: { auth?: string; method?: string } = {}) {
  return new Promise<Answer>((resolve, reject) => {
    const { auth, method = 'GET' } = given
    const headers = auth === undefined ? {} : { authorization: auth }
    const asked = request({ host: '127.0.0.1', port, path, method, headers }, response => {
      let body = ''
      response.on('data', (chunk: Buffer) => (body += chunk.toString()))
      response.on('end', () =>
        resolve({ status: response.statusCode!, body, headers: response.headers }),
      )
    })
    asked.on('error', reject)
    asked.end()
  })
}

async function withServer(
  action: (port: number, history: History) => Promise<void>,
  options: { readonly token?: string } = { token },
): Promise<void> {
  await inTemporaryFolder(async folder => {
    const history = sqliteHistory({ path: join(folder, 'h'), isWriter: true })
    await history.open()
    const recorder = recorderOf({ history, clock: new ManualClock(), run: 'run' })
    for (const table_name of ['ods.user', 'ods.user', hostile]) {
      recorder.put('statements', { table_name, state: 'completed', statement: `${table_name}/1-1` })
    }
    await recorder.flush()
    const server = await HttpServer.open({
      host: '127.0.0.1',
      port: 0,
      contentType: 'text/plain',
      metrics: () => Promise.resolve(''),
      status: () => ({}),
      notReady: () => null,
      history:
        options.token === undefined
          ? null
          : { token: options.token, answer: url => answerHistory(application, history, url) },
    })
    try {
      await action(server.port, history)
    } finally {
      await server.close()
      await history.close()
    }
  })
}

const auth = `Bearer ${token}`

describe('the history by HTTP', () => {
  it('is shown to who sends the token', async () => {
    await withServer(async port => {
      const { status, body, headers } = await ask(port, '/history', { auth })
      expect([status, headers['content-type'], headers['cache-control']]).toEqual([
        200,
        'application/json',
        'no-store',
      ])
      const report = JSON.parse(body) as { runs: object[]; statements: object[] }
      expect(report.runs).toMatchObject([{ runId: 'run', state: 'inflight' }])
      expect(report.statements).toHaveLength(3)
      const one = await ask(port, '/history/ods.user?limit=1', { auth })
      expect(JSON.parse(one.body)).toMatchObject({
        table: 'ods.user',
        statements: [{ statement: 'ods.user/1-1' }],
      })
      const late = await ask(port, '/history?since=2999-01-01T00:00:00Z', { auth })
      expect(JSON.parse(late.body)).toMatchObject({ runs: [], statements: [] })
    })
  })

  it.each([
    ['none', undefined],
    ['an empty one', 'Bearer '],
    ['another', 'Bearer wrong'],
    ['a part of it', `Bearer ${token.slice(0, -1)}`],
    ['more than it', `Bearer ${token}x`],
    ['another scheme', `Basic ${Buffer.from(`x:${token}`).toString('base64')}`],
    ['it bare', token],
  ])('is not shown for a token that is %s', async (_, given) => {
    await withServer(async port => {
      for (const path of ['/history', '/history/ods.user', '/history/']) {
        const answer = await ask(port, path, given === undefined ? {} : { auth: given })
        expect([answer.status, answer.headers['www-authenticate']]).toEqual([
          401,
          'Bearer realm="forager"',
        ])
        expect(answer.body).not.toContain('ods.user')
        expect(answer.body).not.toContain(token)
      }
    })
  })

  it('is not there without a token in the configuration', async () => {
    await withServer(async port => {
      const answer = await ask(port, '/history', { auth })
      expect([answer.status, answer.body]).toEqual([
        404,
        'the history is shown only where the configuration has http.token\n',
      ])
    }, {})
  })

  it.each(['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'])(
    'can not be written by %s',
    async method => {
      await withServer(async (port, history) => {
        const answer = await ask(port, '/history/ods.user', { auth, method })
        expect([answer.status, answer.headers.allow]).toEqual([405, 'GET, HEAD'])
        expect(await history.find({ kind: 'statements' })).toHaveLength(3)
      })
    },
  )

  it('takes any name of a table as a name', async () => {
    await withServer(async (port, history) => {
      const named = await ask(port, `/history/${encodeURIComponent(hostile)}`, { auth })
      expect(JSON.parse(named.body)).toMatchObject({
        table: hostile,
        statements: [{ tableName: hostile }],
      })
      for (const path of [
        '/history/../metrics',
        '/history/%00',
        '/history/ods.user%27%20OR%201=1',
      ]) {
        const answer = await ask(port, path, { auth })
        expect(answer.status).toBe(200)
        expect((JSON.parse(answer.body) as { statements: object[] }).statements).toEqual([])
      }
      expect((await ask(port, '/history/%zz', { auth })).status).toBe(400)
      expect((await ask(port, '/historyx', { auth })).status).toBe(404)
      expect(await history.find({ kind: 'statements' })).toHaveLength(3)
    })
  })

  it.each([
    ['?limit=0', 'limit must be'],
    ['?limit=1001', 'limit must be'],
    ['?limit=1;DROP', 'limit must be'],
    ['?since=yesterday', 'since must be a time'],
    ['?where=1', 'unknown parameter where'],
  ])('says what is wrong with %s', async (query, message) => {
    await withServer(async port => {
      const answer = await ask(port, `/history${query}`, { auth })
      expect([answer.status, answer.body]).toEqual([400, expect.stringContaining(message)])
    })
  })

  it('says that it cannot be read while its database is away', async () => {
    await withServer(async (port, history) => {
      await history.close()
      const answer = await ask(port, '/history', { auth })
      expect([answer.status, answer.body]).toEqual([503, 'the history cannot be read now\n'])
    })
  })
})
