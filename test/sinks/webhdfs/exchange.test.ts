import * as http from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { describe, expect, it, onTestFinished } from 'vitest'
import { systemClock } from '../../../runtime/clock.ts'
import { HttpClient } from '../../../sinks/webhdfs/exchange.ts'
import { ManualClock } from '../../../testkit/manual-clock.ts'

async function serve(listener: http.RequestListener): Promise<URL> {
  const server = http.createServer(listener)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
}

const limits = { timeoutMs: 20_000, maxAnswerBytes: 1000 }
const client = new HttpClient({ clock: systemClock })

describe('an exchange', () => {
  it('sends a body of known and of unknown size, in parts', async () => {
    const url = await serve((request, answer) => {
      void buffer(request).then(body => {
        const { 'content-length': length = 'none' } = request.headers
        answer.writeHead(201).end(`${length} ${body.length} ${body.at(-1)}`)
      })
    })
    const parts = [Buffer.alloc(700_000, 1), Buffer.alloc(0), Buffer.alloc(5, 2)]
    for (const bodyBytes of [700_005, null]) {
      const exchange = client.start({ method: 'PUT', url, bodyBytes, ...limits })
      for (const part of parts) await exchange.write(part)
      const { status, body } = await exchange.finish()
      expect([status, body.toString()]).toEqual([201, `${bodyBytes ?? 'none'} 700005 2`])
    }
  })

  it('goes on after “100 Continue”, which DataNodes send unasked', async () => {
    const url = await serve((request, answer) => {
      answer.writeContinue()
      void buffer(request).then(({ length }) => answer.end(String(length)))
    })
    const exchange = client.start({ method: 'PUT', url, bodyBytes: 3, ...limits })
    await exchange.write(Buffer.from('abc'))
    expect((await exchange.finish()).body.toString()).toBe('3')
  })

  it('knows of an answer that comes before the body is sent', async () => {
    const url = await serve((_, answer) => {
      answer.writeHead(403).end('no')
    })
    const exchange = client.start({ method: 'PUT', url, bodyBytes: null, ...limits })
    const part = Buffer.alloc(1024 * 1024)
    for (let sent = 0; !exchange.isAnswered; sent += 1) {
      expect(sent).toBeLessThan(1000)
      await exchange.write(part)
    }
    expect(await exchange.finish()).toMatchObject({ status: 403, body: Buffer.from('no') })
  })

  it('fails when an answer is cut, or larger than it may be', async () => {
    const cut = await serve((request, answer) => {
      answer.writeHead(200, { 'Content-Length': 100 }).write('x')
      setImmediate(() => request.socket.destroy())
    })
    await expect(client.send({ method: 'GET', url: cut, ...limits })).rejects.toThrow()
    const large = await serve((_, answer) => answer.end(Buffer.alloc(1001)))
    await expect(client.send({ method: 'GET', url: large, ...limits })).rejects.toThrow(
      'its answer is larger than 1000 bytes',
    )
  })

  it('waits for a server that does nothing for its time, and not longer', async () => {
    const clock = new ManualClock()
    const asked = Promise.withResolvers<void>()
    const url = await serve(() => asked.resolve())
    let failure: unknown = null
    const sent = new HttpClient({ clock }).send({ method: 'GET', url, ...limits })
    const failed = sent.catch((error: unknown) => {
      failure = error
    })
    await asked.promise
    clock.advance(19_999)
    await new Promise(resolve => setImmediate(resolve))
    expect(failure).toBeNull()
    clock.advance(1)
    await failed
    expect(failure).toMatchObject({ message: 'it did nothing for 20000 ms' })
  })

  it('waits anew whenever the server does something', async () => {
    const clock = new CountingClock()
    const answered = Promise.withResolvers<http.ServerResponse>()
    const url = await serve((_, answer) => {
      answer.flushHeaders()
      answered.resolve(answer)
    })
    const exchange = new HttpClient({ clock }).start({
      method: 'GET',
      url,
      bodyBytes: 0,
      ...limits,
    })
    const finished = exchange.finish()
    const answer = await answered.promise
    await expect.poll(() => exchange.isAnswered).toBe(true)
    for (const part of ['a', 'b', 'c']) {
      // Together they are longer than any wait may be.
      clock.advance(15_000)
      const { waits } = clock
      answer.write(part)
      await expect.poll(() => clock.waits).toBeGreaterThan(waits)
    }
    answer.end()
    expect((await finished).body.toString()).toBe('abc')
  })
})

class CountingClock extends ManualClock {
  waits = 0

  override sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
    this.waits += 1
    return super.sleep(milliseconds, signal)
  }
}
