/** Requests that nobody should send, against the port of a run. */
import type { Socket } from 'node:net'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterEach, describe, expect, it } from 'vitest'
import { configSchema } from '../../cli/config-schema.ts'
import { HttpServer, httpLimits } from '../../observe/http-server.ts'

const token = 'a-token-of-more-than-16-characters'
const servers: HttpServer[] = []

async function open(host = '127.0.0.1'): Promise<HttpServer> {
  const server = await HttpServer.open({
    host,
    port: 0,
    contentType: 'text/plain; version=0.0.4',
    metrics: () => Promise.resolve('forager_tasks 1\n'),
    status: () => ({ state: 'running' }),
    history: {
      token,
      answer: () => Promise.resolve({ status: 200, type: 'application/json', body: '{}\n' }),
    },
    notReady: () => null,
  })
  servers.push(server)
  return server
}

afterEach(async () => {
  await Promise.all(servers.splice(0).map(server => server.close()))
})

/** All that the server answers until it closes the connection; `more` is sent when it has begun to. */
async function answerTo({ port }: HttpServer, request: string, more = ''): Promise<string> {
  const socket: Socket = connect(port, '127.0.0.1')
  // One that is closed while it is written to says so; the answer is what counts.
  socket.on('error', () => undefined)
  let answer = ''
  socket.on('data', (bytes: Buffer) => {
    if (answer === '') socket.write(more, 'latin1')
    answer += bytes.toString('latin1')
  })
  socket.write(request, 'latin1')
  await new Promise(resolve => socket.once('close', resolve))
  return answer
}

function statusOf(answer: string): number {
  return Number(/^HTTP\/1\.1 (\d{3}) /.exec(answer)?.[1] ?? 0)
}

const head = (method: string, path: string, ...more: readonly string[]): string =>
  [`${method} ${path} HTTP/1.1`, 'Host: localhost', 'Connection: close', ...more, '', ''].join(
    '\r\n',
  )

const paths = ['/metrics', '/status', '/history', '/history/ods.user', '/health/live', '/nothing']

describe('the HTTP port', () => {
  it('is not there unless it is asked for, and then for this machine alone', () => {
    const { http } = configSchema.shape
    expect(http.parse(undefined)).toBeUndefined()
    expect(http.parse({})).toEqual({ port: 9464, host: '127.0.0.1' })
  })

  it('knows its paths letter by letter, and no other', async () => {
    const server = await open()
    for (const path of [
      '/',
      '//metrics',
      '/metrics/',
      '/METRICS',
      '/%6detrics',
      '/health/../metrics',
      '/./metrics',
      '/..%2fmetrics',
      '/metrics%00',
      '/metrics;a',
      '/historyx',
      '/health',
      '/status/../../etc/passwd',
      'http://elsewhere/metrics',
      'http://localhost/metrics',
      '/constructor',
      '/__proto__',
    ]) {
      expect([path, statusOf(await answerTo(server, head('GET', path)))]).toEqual([path, 404])
    }
    expect(statusOf(await answerTo(server, head('GET', '/metrics?a=b')))).toBe(200)
  })

  it('can only be read, whatever the path and the token', async () => {
    const server = await open()
    for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE', 'PROPFIND']) {
      for (const path of paths) {
        const answer = await answerTo(server, head(method, path, `Authorization: Bearer ${token}`))
        expect([method, path, statusOf(answer)]).toEqual([method, path, 405])
        expect(answer).toMatch(/\r\nallow: GET, HEAD\r\n/i)
      }
    }
    expect(await answerTo(server, head('CONNECT', 'localhost:22'))).not.toContain(' 200 ')
    expect(statusOf(await answerTo(server, head('OPTIONS', '*')))).toBe(405)
    expect(statusOf(await answerTo(server, head('BREW', '/metrics')))).toBe(400)
  })

  it('answers HEAD as GET, without the body', async () => {
    const server = await open()
    for (const path of ['/metrics', '/status', '/health/ready', '/nothing']) {
      const [whole, headOnly] = await Promise.all(
        ['GET', 'HEAD'].map(method => answerTo(server, head(method, path))),
      )
      const end = whole!.indexOf('\r\n\r\n') + 4
      const withoutDate = (one: string): string => one.replace(/\r\nDate: .*/, '')
      expect(withoutDate(headOnly!)).toBe(withoutDate(whole!.slice(0, end)))
      expect(Number(/content-length: (\d+)/i.exec(headOnly!)?.[1])).toBe(whole!.length - end)
    }
  })

  it('reads no body, however it is announced, and nothing behind a refusal', async () => {
    const server = await open()
    const next = head('GET', '/metrics')
    for (const [request, status] of [
      [head('GET', '/metrics', 'Content-Length: 5').replace('Connection: close\r\n', ''), 413],
      [`${head('GET', '/metrics', 'Transfer-Encoding: chunked')}5\r\nhello\r\n`, 413],
      [head('POST', '/metrics', 'Content-Length: 1000000000'), 405],
      [head('GET', '/metrics', 'Content-Length: -1'), 400],
      [head('GET', '/metrics', 'Content-Length: 5', 'Transfer-Encoding: chunked'), 400],
      [head('GET', '/metrics', 'Content-Length: 5', 'Content-Length: 6'), 400],
    ] as const) {
      const answer = await answerTo(server, request, `${'x'.repeat(100_000)}${next}`)
      expect(statusOf(answer)).toBe(status)
      expect(answer.match(/HTTP\/1\.1 /g)).toHaveLength(1)
      expect(answer).not.toContain('forager_tasks')
    }
  })

  it('takes a head of 16 KiB and no larger', async () => {
    const server = await open()
    const { maxHeaderBytes } = httpLimits
    const fill = (length: number): string => `X-Fill: ${'x'.repeat(length)}`
    expect(statusOf(await answerTo(server, head('GET', '/metrics', fill(8000))))).toBe(200)
    expect(statusOf(await answerTo(server, head('GET', '/metrics', fill(maxHeaderBytes))))).toBe(
      431,
    )
    const longPath = `/history/${'x'.repeat(maxHeaderBytes)}`
    expect(statusOf(await answerTo(server, head('GET', longPath)))).toBe(431)
    const many = Array.from({ length: 5000 }, (_, index) => `X-${index}: 1`)
    expect(statusOf(await answerTo(server, head('GET', '/metrics', ...many)))).toBe(431)
  })

  it('gives up on who does not come to the end of a head', async () => {
    const server = await open()
    const slow = connect(server.port, '127.0.0.1')
    slow.on('error', () => undefined)
    slow.write('GET /metrics HTTP/1.1\r\nHost: localhost\r\n')
    const drip = setInterval(() => slow.write('X-Slow: 1\r\n'), 500)
    const answer = await text(slow).catch(() => '')
    clearInterval(drip)
    expect(statusOf(answer)).toBe(408)
    // Others are served meanwhile, and so are those who come after.
    expect(statusOf(await answerTo(server, head('GET', '/metrics')))).toBe(200)
  })

  it('closes connections beyond its number of them', async () => {
    const server = await open()
    const idle = Array.from({ length: httpLimits.maxConnections }, () =>
      connect(server.port, '127.0.0.1'),
    )
    for (const one of idle) one.on('error', () => undefined)
    await Promise.all(idle.map(one => new Promise(resolve => one.once('connect', resolve))))
    expect(await answerTo(server, head('GET', '/metrics'))).toBe('')
    for (const one of idle) one.destroy()
    // The server sees it a moment later.
    await expect
      .poll(async () => statusOf(await answerTo(server, head('GET', '/metrics'))), {
        timeout: 30_000,
      })
      .toBe(200)
  })
})

describe('a page of a browser that has its name lead to this machine', () => {
  const ask = (server: HttpServer, host: string): Promise<string> =>
    answerTo(server, `GET /status HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`)

  it('reads nothing where the port is for this machine alone', async () => {
    const server = await open()
    for (const host of [
      'evil.example',
      `evil.example:${server.port}`,
      'localhost.evil.example',
      '127.0.0.1.evil.example',
      'localhost@evil.example',
      'evil.example#localhost',
      '',
      'a b',
    ]) {
      expect([host, statusOf(await ask(server, host))]).toEqual([host, 421])
    }
    for (const host of [`localhost:${server.port}`, '127.0.0.1', '[::1]:1', 'LOCALHOST']) {
      expect([host, statusOf(await ask(server, host))]).toEqual([host, 200])
    }
  })

  it('is nobody else than others where the port is open to them', async () => {
    const server = await open('0.0.0.0')
    expect(statusOf(await ask(server, 'forager.prod.svc:9464'))).toBe(200)
  })

  it('is given nothing that a browser lets another page read', async () => {
    const server = await open()
    const answer = await answerTo(server, head('GET', '/status', 'Origin: http://evil.example'))
    expect(answer).not.toMatch(/access-control/i)
    expect(answer).toMatch(/x-content-type-options: nosniff/i)
  })
})

describe('the token', () => {
  it('opens the history, whole and alone', async () => {
    const server = await open()
    for (const given of [
      '',
      'Bearer',
      'Bearer ',
      `Bearer ${token.slice(1)}`,
      `Bearer ${token}x`,
      `Bearer ${token.toUpperCase()}`,
      `Bearer ${token} ${token}`,
      `Basic ${Buffer.from(`:${token}`).toString('base64')}`,
      `${token}`,
      `Bearer ${'x'.repeat(10_000)}`,
    ]) {
      const answer = await answerTo(server, head('GET', '/history', `Authorization: ${given}`))
      expect([given.slice(0, 60), statusOf(answer)]).toEqual([given.slice(0, 60), 401])
      expect(answer).not.toContain(token)
    }
    const right = await answerTo(server, head('GET', '/history', `Authorization: Bearer ${token}`))
    expect(statusOf(right)).toBe(200)
    expect(statusOf(await answerTo(server, head('GET', `/history?token=${token}`)))).toBe(401)
  })

  it('has 16 characters or more', () => {
    const { http } = configSchema.shape
    expect(http.safeParse({ token: 'x'.repeat(15) }).success).toBe(false)
    expect(http.safeParse({ token: 'x'.repeat(16) }).success).toBe(true)
    expect(http.safeParse({ token: `${'x'.repeat(16)} y` }).success).toBe(false)
  })
})
