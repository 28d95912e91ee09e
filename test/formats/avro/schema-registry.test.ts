import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import type { ConfluentRegistryOptions } from '../../../formats/avro/confluent-registry.ts'
import { ConfluentRegistry } from '../../../formats/avro/confluent-registry.ts'
import { FileRegistry } from '../../../formats/avro/schema-registry.ts'
import { ForagerError } from '../../../model/errors.ts'
import { systemClock } from '../../../runtime/clock.ts'

type Answer = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>

let server: Server | null = null

afterEach(() => {
  server?.closeAllConnections()
  server?.close()
})

/** A registry that answers so, and the requests that it got. */
async function registryThat(
  answer: Answer,
  options: Partial<ConfluentRegistryOptions> = {},
): Promise<{ readonly registry: ConfluentRegistry; readonly asked: string[] }> {
  const asked: string[] = []
  server = createServer((request, response) => {
    asked.push(request.url ?? '')
    void answer(request, response)
  })
  await new Promise<void>(resolve => server!.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const url = `http://127.0.0.1:${port}/apis/ccompat/v7`
  const given = { url, clock: systemClock, retryTimeoutMs: 0, ...options }
  return { registry: new ConfluentRegistry(given), asked }
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'Content-Type': 'application/vnd.schemaregistry.v1+json' })
  response.end(typeof body === 'string' ? body : JSON.stringify(body))
}

async function failureOf(promise: Promise<unknown>): Promise<ForagerError> {
  const error: unknown = await promise.then(
    () => null,
    (reason: unknown) => reason,
  )
  if (error instanceof ForagerError) return error
  throw new Error(`it did not fail as it should: ${String(error)}`)
}

describe('a registry with Confluent’s interface', () => {
  it('gives a schema, and is asked once by all who wait', async () => {
    const { registry, asked } = await registryThat((_, response) => {
      send(response, 200, { schema: '"int"' })
    })
    expect(registry.find(7)).toBeNull()
    await Promise.all([registry.fetch(7), registry.fetch(7)])
    expect(registry.find(7)).toEqual({ schema: '"int"', references: [] })
    expect(asked).toEqual(['/apis/ccompat/v7/schemas/ids/7'])
  })

  it('gives what a schema refers to in the order in which one needs the other', async () => {
    const schemas: Readonly<Record<string, unknown>> = {
      '/apis/ccompat/v7/schemas/ids/1': {
        schema: 'user',
        references: [
          { name: 'Address', subject: 'a b', version: 2 },
          { name: 'City', subject: 'city', version: 1 },
        ],
      },
      '/apis/ccompat/v7/subjects/a%20b/versions/2': {
        schema: 'address',
        references: [{ name: 'City', subject: 'city', version: 1 }],
      },
      '/apis/ccompat/v7/subjects/city/versions/1': {
        schema: 'city',
        references: [{ name: 'Address', subject: 'a b', version: 2 }],
      },
    }
    const { registry } = await registryThat((request, response) => {
      send(response, 200, schemas[request.url!])
    })
    await registry.fetch(1)
    expect(registry.find(1)).toEqual({ schema: 'user', references: ['city', 'address'] })
  })

  it.each([
    [{ username: 'me', password: 'p:w' }, `Basic ${Buffer.from('me:p:w').toString('base64')}`],
    [{ token: 't0k' }, 'Bearer t0k'],
  ])('is told who asks', async (auth, expected) => {
    let seen: string | undefined
    const { registry } = await registryThat(
      (request, response) => {
        seen = request.headers.authorization
        send(response, 200, { schema: '"int"' })
      },
      { auth },
    )
    await registry.fetch(1)
    expect(seen).toBe(expected)
  })

  it('is asked again while it has no answer', async () => {
    let count = 0
    const { registry } = await registryThat(
      (_, response) => {
        count += 1
        if (count < 3) send(response, 503, 'starting')
        else send(response, 200, { schema: '"int"' })
      },
      { retryTimeoutMs: 60_000 },
    )
    await registry.fetch(1)
    expect(registry.find(1)?.schema).toBe('"int"')
  })

  it.each<[string, Answer, string, string]>([
    ['has not the id', (_, response) => send(response, 404, '{}'), 'schema-missing', 'the id 1'],
    ['refuses', (_, response) => send(response, 401, 'who?'), 'registry-unreachable', '401'],
    ['is broken', (_, response) => send(response, 500, 'oops'), 'registry-unreachable', 'oops'],
    ['is none', (_, response) => send(response, 200, '<html>'), 'registry-unreachable', 'address'],
    ['has no schema', (_, response) => send(response, 200, {}), 'registry-unreachable', 'address'],
    [
      'has Protobuf',
      (_, response) => send(response, 200, { schema: 'message', schemaType: 'PROTOBUF' }),
      'schema-invalid',
      'PROTOBUF',
    ],
    [
      'answers without end',
      (_, response) => {
        const part = Buffer.alloc(1024 * 1024)
        const more = (): void => {
          while (!response.destroyed && response.write(part));
          response.once('drain', more)
        }
        more()
      },
      'registry-unreachable',
      'larger than 16 MiB',
    ],
    [
      'hangs up',
      request => {
        request.socket.destroy()
      },
      'registry-unreachable',
      'socket hang up',
    ],
    [
      'answers drop by drop',
      async (_, response) => {
        response.writeHead(200)
        while (!response.destroyed) {
          response.write(' ')
          await systemClock.sleep(20)
        }
      },
      'registry-unreachable',
      'has not answered after 0.3 s',
    ],
    ['is silent', () => undefined, 'registry-unreachable', 'said nothing'],
  ])('that %s is an error with what and where', async (_, answer, code, message) => {
    const { registry } = await registryThat(answer, { requestTimeoutMs: 300 })
    const error = await failureOf(registry.fetch(1))
    expect(error.code).toBe(code)
    expect(error.message).toContain(message)
    expect(error.message).toContain('127.0.0.1')
    // The next message asks again.
    expect(registry.find(1)).toBeNull()
  })

  it('is not reached where nobody listens', async () => {
    const registry = new ConfluentRegistry({
      url: 'http://127.0.0.1:1',
      clock: systemClock,
      retryTimeoutMs: 0,
    })
    const error = await failureOf(registry.fetch(1))
    expect(error.describe()).toMatch(/127\.0\.0\.1:1.*ECONNREFUSED.*source\.registry/)
  })
})

describe('a registry whose schemas refer to others without end', () => {
  const next = (count: number) => [{ name: 'N', subject: `s${count}`, version: 1 }]

  /** `s0` to the last one, each of which refers to the one behind it. */
  const chainOf = (last: number, schema: string) =>
    registryThat((request, response) => {
      const known = /subjects\/s(\d+)\//.exec(request.url ?? '')
      const count = known === null ? -1 : Number(known[1])
      send(response, 200, { schema, references: count < last ? next(count + 1) : [] })
    })

  it('is followed a thousand schemas far', async () => {
    const enough = await chainOf(999, '"int"')
    await enough.registry.fetch(1)
    expect(enough.registry.find(1)?.references).toHaveLength(1000)
    server!.close()
    const endless = await chainOf(Infinity, '"int"')
    const error = await failureOf(endless.registry.fetch(1))
    expect(error).toMatchObject({ code: 'schema-invalid' })
    expect(error.message).toContain('refers to more than 1000 others')
    expect(endless.asked).toHaveLength(1001)
  })

  it('is read for 16 Mi characters of all of them', async () => {
    const { registry } = await chainOf(9, `"${'x'.repeat(6 * 1024 * 1024)}"`)
    const error = await failureOf(registry.fetch(1))
    expect(error).toMatchObject({ code: 'schema-invalid' })
    expect(error.message).toContain('more than 16 Mi characters')
  })
})

describe('a registry that is a file', () => {
  const fileOf = (...lines: readonly unknown[]): FileRegistry =>
    new FileRegistry({
      path: 'x.schemas.jsonl',
      read: () => {
        const texts = lines.map(line => (typeof line === 'string' ? line : JSON.stringify(line)))
        return Promise.resolve(texts.join('\n'))
      },
    })

  it('gives schemas by their ids, with what they refer to', async () => {
    const city = { id: 2, schema: 'city', subject_versions: [{ subject: 'city', version: 1 }] }
    const user = { id: 1, schema: 'user', references: [{ subject: 'city', version: 1 }] }
    const registry = fileOf(city, '', user)
    expect(registry.find(1)).toBeNull()
    await registry.fetch(1)
    expect(registry.find(1)).toEqual({ schema: 'user', references: ['city'] })
  })

  it('says which line is none, and which id it lacks', async () => {
    const damaged = await failureOf(fileOf({ id: 1, schema: '"int"' }, '{"id":').fetch(1))
    expect(damaged.describe()).toMatch(
      /^line 2 of the registry file x\.schemas\.jsonl has no "id" and "schema"/,
    )
    const missing = await failureOf(fileOf({ id: 1, schema: '"int"' }).fetch(9))
    expect(missing.code).toBe('schema-missing')
    expect(missing.message).toContain('x.schemas.jsonl has no schema with the id 9')
  })

  it('is read again where it could not be read', async () => {
    let readings = 0
    const registry = new FileRegistry({
      path: 'x.schemas.jsonl',
      read: () => {
        readings += 1
        const line = JSON.stringify({ id: 1, schema: '"int"' })
        return readings === 1 ? Promise.reject(new Error('EIO')) : Promise.resolve(line)
      },
    })
    await expect(registry.fetch(1)).rejects.toThrow('EIO')
    await registry.fetch(1)
    expect(registry.find(1)?.schema).toBe('"int"')
  })
})
