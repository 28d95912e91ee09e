/** A NameNode and a DataNode behind proxies, and staging files that know only these. */
import { randomUUID } from 'node:crypto'
import { inject, onTestFinished } from 'vitest'
import { systemClock } from '../../../runtime/clock.ts'
import { systemRandom } from '../../../runtime/random.ts'
import type { WebHdfsOptions } from '../../../sinks/webhdfs/webhdfs-staging-files.ts'
import { WebHdfsStagingFiles } from '../../../sinks/webhdfs/webhdfs-staging-files.ts'
import type { Fault, ProxiedRequest, ProxyOptions } from './http-proxy.ts'
import { HttpProxy } from './http-proxy.ts'

export const { url: nameNodeUrl, location } = inject('webhdfs')

export function filesAt(options: Partial<WebHdfsOptions> = {}): WebHdfsStagingFiles {
  return new WebHdfsStagingFiles({
    urls: [nameNodeUrl],
    user: 'forager',
    location,
    clock: systemClock,
    random: systemRandom,
    ...options,
  })
}

/** Without anything between. */
export const direct = filesAt()

/** An empty folder, for one test. */
export async function freshFolder(): Promise<string> {
  const folder = `/forager-test-${randomUUID()}`
  await direct.makeDirectory(folder)
  onTestFinished(() => direct.remove(folder))
  return folder
}

export async function openProxy(options: ProxyOptions): Promise<HttpProxy> {
  const proxy = await HttpProxy.open(options)
  onTestFinished(() => proxy.close())
  return proxy
}

/** Where the NameNode redirects to. */
export async function dataNodeOrigin(): Promise<string> {
  const asked = `${nameNodeUrl}/webhdfs/v1/x?op=CREATE&user.name=forager`
  const { headers } = await fetch(asked, { method: 'PUT', redirect: 'manual' })
  return new URL(headers.get('location') ?? '').origin
}

export interface Behind {
  readonly nameNode: HttpProxy
  readonly dataNode: HttpProxy
  readonly files: WebHdfsStagingFiles
}

/** Each fault is of requests in their order; those that come later pass. */
export async function behindProxies(
  faults: {
    readonly nameNode?: (request: ProxiedRequest) => Fault
    readonly dataNode?: (request: ProxiedRequest) => Fault
  },
  options: Partial<WebHdfsOptions> = {},
): Promise<Behind> {
  const dataNode = await openProxy({
    target: await dataNodeOrigin(),
    ...(faults.dataNode && { faultOf: faults.dataNode }),
  })
  const nameNode = await openProxy({
    target: nameNodeUrl,
    redirectsTo: () => dataNode.origin,
    ...(faults.nameNode && { faultOf: faults.nameNode }),
  })
  return { nameNode, dataNode, files: filesAt({ urls: [nameNode.origin], ...options }) }
}

/** The fault meets the first request of this operation, and no other. */
export function once(op: string, fault: Fault): (request: ProxiedRequest) => Fault {
  let isDone = false
  return request => {
    if (isDone || request.op !== op) return 'pass'
    isDone = true
    return fault
  }
}

export const always = (fault: Fault) => (): Fault => fault

export async function write(
  files: WebHdfsStagingFiles,
  path: string,
  pieces: readonly Uint8Array[],
): Promise<void> {
  const file = await files.create(path)
  try {
    for (const piece of pieces) await file.write(piece)
    await file.close()
  } catch (error) {
    await file.abort()
    throw error
  }
}

export async function read(files: WebHdfsStagingFiles, path: string): Promise<Buffer> {
  const file = await files.open(path)
  return Buffer.from(await file.read(0, file.sizeBytes))
}

/** Different in each of its first bytes, so that parts cannot be mistaken. */
export function pieces(count: number, sizeBytes = 1024 * 1024): Buffer[] {
  return Array.from({ length: count }, (_, number) => {
    const piece = Buffer.alloc(sizeBytes, number)
    piece.writeUInt32LE(number)
    return piece
  })
}
