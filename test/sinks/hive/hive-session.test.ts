/** What becomes of a statement when there is no HiveServer2 that takes it. Against one: test/stack/hive. */
import { createServer, type Server, type Socket } from 'node:net'
import { inspect } from 'node:util'
import { afterEach, describe, expect, it } from 'vitest'
import { ConfigError, InvariantError } from '../../../model/errors.ts'
import { systemClock } from '../../../runtime/clock.ts'
import type { HiveConnectionOptions } from '../../../sinks/hive/hive-options.ts'
import { HiveSession } from '../../../sinks/hive/hive-session.ts'

const servers: Server[] = []
const sockets: Socket[] = []

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy()
  for (const server of servers.splice(0)) await new Promise(done => server.close(done))
})

/** A server at a free port that does with a connection what it is told. */
async function serve(connected: (socket: Socket) => void): Promise<number> {
  const server = createServer(socket => {
    sockets.push(socket.on('error', () => undefined))
    connected(socket)
  })
  servers.push(server)
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
  return (server.address() as { port: number }).port
}

async function freePort(): Promise<number> {
  const port = await serve(() => undefined)
  await new Promise(done => servers.pop()?.close(done))
  return port
}

function session(port: number, options: Partial<HiveConnectionOptions> = {}): HiveSession {
  return new HiveSession({ host: '127.0.0.1', port, ...options }, systemClock)
}

function unreachable(text: string | RegExp): object {
  const message = expect.stringMatching(text)
  return expect.objectContaining({ code: 'warehouse-unreachable', retry: 'backoff', message })
}

describe('a statement', () => {
  it('was not submitted when nobody listens', async () => {
    const port = await freePort()
    await expect(session(port).execute('drop table t')).rejects.toEqual(
      unreachable(`^HiveServer2 at 127.0.0.1:${port}: connect ECONNREFUSED`),
    )
  })

  it('was not submitted when the server hangs up during authentication', async () => {
    const port = await serve(socket => socket.once('data', () => socket.destroy()))
    await expect(session(port).execute('drop table t')).rejects.toEqual(
      unreachable('the server closed the connection|ECONNRESET'),
    )
  })

  it.each([undefined, {}])('was not submitted when the server is silent (TLS: %o)', async tls => {
    const port = await serve(() => undefined)
    const limits = { connectTimeoutMs: 50 }
    const silent = session(port, { limits, ...(tls === undefined ? {} : { tls }) })
    await expect(silent.execute('drop table t')).rejects.toEqual(
      unreachable('there was no answer within 50 ms'),
    )
  })

  it('was not submitted when the password is wrong, and the message does not hold it', async () => {
    // What HiveServer2 sends then: SASL status BAD, the length of a text, the text.
    const text = Buffer.from('Error validating the login')
    const length = Buffer.alloc(4)
    length.writeInt32BE(text.length)
    const port = await serve(socket => {
      socket.once('data', () => socket.write(Buffer.concat([Buffer.of(3), length, text])))
    })
    const auth = { type: 'plain', username: 'etl', password: 'hunter2' } as const
    const error = await session(port, { auth })
      .execute('drop table t')
      .catch((failure: unknown) => failure)
    expect(error).toEqual(unreachable('Authentication error: Error validating the login'))
    expect(inspected(error)).not.toContain('hunter2')
  })

  it.each([
    ['that it failed', exceptionFrame('OpenSession', 'Internal error'), 'Internal error'],
    ['nonsense', frame(Buffer.from([0x81, 1, 0, 2])), 'Bad version'],
  ])('was not submitted when the server answers a call with %s', async (_, answer, reason) => {
    const port = await serve(socket => {
      // The welcome of SASL, and then the answer to whatever is asked.
      socket.once('data', () => {
        socket.write(Buffer.of(5, 0, 0, 0, 0))
        socket.once('data', () => socket.write(answer))
      })
    })
    await expect(session(port).execute('drop table t')).rejects.toEqual(unreachable(reason))
  })

  it.each([401, 500])('was not submitted when HTTP answers %i', async status => {
    const port = await serve(socket => {
      socket.once('data', () => socket.end(`HTTP/1.1 ${status} No\r\ncontent-length: 0\r\n\r\n`))
    })
    const error = await session(port, {
      transport: { type: 'http', path: 'cliservice' },
      auth: { type: 'plain', username: 'etl', password: 'hunter2' },
    })
      .execute('drop table t')
      .catch((failure: unknown) => failure)
    expect(error).toEqual(unreachable(`bad HTTP status code: ${status}`))
    expect(inspected(error)).not.toContain(Buffer.from('etl:hunter2').toString('base64'))
  })

  it('was not submitted when it is cancelled while connecting', async () => {
    const stop = new AbortController()
    const port = await serve(() => stop.abort())
    await expect(session(port).execute('drop table t', { signal: stop.signal })).rejects.toEqual(
      unreachable('it was cancelled'),
    )
    await expect(session(port).execute('drop table t', { signal: stop.signal })).rejects.toEqual(
      unreachable('cancelled before it was submitted'),
    )
  })

  it('does not hold up the next one when it fails', async () => {
    const one = session(await freePort())
    const outcomes = await Promise.allSettled([one.execute('a'), one.execute('b'), one.query('c')])
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected'])
  })

  it('is a mistake after the session was closed', async () => {
    const one = session(await freePort())
    await one.close()
    await expect(one.execute('select 1')).rejects.toBeInstanceOf(InvariantError)
  })

  it('asks for the package of Kerberos only when Kerberos is configured', async () => {
    const one = session(await freePort(), { auth: { type: 'kerberos' } })
    const error = await one.execute('select 1').catch((failure: unknown) => failure)
    expect(error).toBeInstanceOf(ConfigError)
    expect(error).toMatchObject({ code: 'kerberos-missing' })
  })
})

function frame(body: Buffer): Buffer {
  const length = Buffer.alloc(4)
  length.writeInt32BE(body.length)
  return Buffer.concat([length, body])
}

/** A TApplicationException in Thrift's binary protocol, as the answer to the first call. */
function exceptionFrame(call: string, message: string): Buffer {
  const header = Buffer.from([0x80, 1, 0, 3])
  const first = Buffer.from([0, 0, 0, 1])
  const [name, text] = [call, message].map(word => frame(Buffer.from(word)))
  return frame(Buffer.concat([header, name!, first, Buffer.from([11, 0, 1]), text!, Buffer.of(0)]))
}

/** All that a logger could find in an error. */
function inspected(error: unknown): string {
  return inspect(error, { depth: 20, showHidden: true })
}
