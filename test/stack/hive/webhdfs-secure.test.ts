/** WebHDFS by TLS, and who it is told that asks. */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { makeCertificates } from '../../../scripts/stack/certificates.ts'
import {
  dataNodeOrigin,
  direct,
  filesAt,
  freshFolder,
  nameNodeUrl,
  openProxy,
  pieces,
  read,
  write,
} from './hdfs-under-faults.ts'
import type { HttpProxy } from './http-proxy.ts'

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'forager-certificates-'))
  await makeCertificates(folder)
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const pem = (name: string): Promise<string> => readFile(join(folder, name), 'utf8')

async function secureProxies(): Promise<{ nameNode: HttpProxy; dataNode: HttpProxy }> {
  const tls = { key: await pem('broker.key'), cert: await pem('broker.crt') }
  const dataNode = await openProxy({ target: await dataNodeOrigin(), tls })
  const redirectsTo = (): string => dataNode.origin
  return { nameNode: await openProxy({ target: nameNodeUrl, tls, redirectsTo }), dataNode }
}

describe('WebHDFS by TLS', () => {
  it('writes and reads, NameNode and DataNode', async () => {
    const { nameNode, dataNode } = await secureProxies()
    const files = filesAt({ urls: [nameNode.origin], tls: { ca: await pem('ca.pem') } })
    const path = `${await freshFolder()}/f`
    const parts = pieces(36)
    await write(files, path, parts)
    expect((await read(files, path)).equals(Buffer.concat(parts))).toBe(true)
    expect(dataNode.ops).toEqual(['CREATE', 'OPEN'])
  })

  it('refuses a server that is not trusted at once, and says so', async () => {
    const { nameNode } = await secureProxies()
    for (const tls of [{}, { ca: await pem('other-ca.pem') }]) {
      const files = filesAt({ urls: [nameNode.origin], tls })
      await expect(files.list('/')).rejects.toMatchObject({
        code: 'storage-failed',
        message: expect.stringMatching(/^cannot list \/: https:\S+ cannot be used: .*certificate/),
      })
    }
    expect(nameNode.requests).toEqual([])
  })

  it('refuses to go on without it, where a NameNode redirects so', async () => {
    const tls = { key: await pem('broker.key'), cert: await pem('broker.crt') }
    const nameNode = await openProxy({ target: nameNodeUrl, tls })
    const files = filesAt({ urls: [nameNode.origin], tls: { ca: await pem('ca.pem') } })
    const path = `${await freshFolder()}/f`
    await expect(write(files, path, pieces(1))).rejects.toMatchObject({
      code: 'storage-failed',
      message: expect.stringContaining('from https nothing is sent without it'),
    })
    expect(await direct.stat(path)).toBeNull()
  })
})

describe('who asks', () => {
  it('is the user, whose the files become', async () => {
    const nameNode = await openProxy({ target: nameNodeUrl })
    const files = filesAt({ urls: [nameNode.origin], user: 'somebody' })
    const folder = await freshFolder()
    await write(files, `${folder}/f`, pieces(1))
    const url = `${nameNodeUrl}/webhdfs/v1${folder}/f?op=GETFILESTATUS&user.name=forager`
    expect(await (await fetch(url)).json()).toMatchObject({ FileStatus: { owner: 'somebody' } })
  })

  it('is told by a delegation token instead, which no error and no log shows', async () => {
    const logged: unknown[] = []
    const keep = (...line: unknown[]): void => void logged.push(line)
    const nameNode = await openProxy({
      target: nameNodeUrl,
      faultOf: () => ({ status: 503, body: '' }),
    })
    const files = filesAt({
      urls: [nameNode.origin],
      delegationToken: 'SECRET-token',
      retryTimeoutMs: 300,
      logger: { debug: keep, info: keep, warn: keep, error: keep },
    })
    const error: unknown = await files.list('/a').catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: 'storage-unreachable' })
    expect(logged.length).toBeGreaterThan(0)
    const { searchParams } = nameNode.requests[0]!.url
    expect(searchParams.get('delegation')).toBe('SECRET-token')
    expect(searchParams.has('user.name')).toBe(false)
    const shown = [error, logged].map(one => JSON.stringify(one, everything)).join()
    expect(shown).toContain('/a')
    expect(shown).not.toContain('SECRET')
  })
})

/** Errors as well, with their causes. */
function everything(_key: string, value: unknown): unknown {
  if (!(value instanceof Error)) return value
  const { message, stack, cause } = value
  return { ...Object.fromEntries(Object.entries(value)), message, stack, cause }
}
