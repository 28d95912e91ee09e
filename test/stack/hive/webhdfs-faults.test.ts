/** WebHDFS over connections that break, between Forager and a NameNode or a DataNode. */
import { describe, expect, it } from 'vitest'
import {
  always,
  behindProxies,
  direct,
  filesAt,
  freshFolder,
  nameNodeUrl,
  once,
  openProxy,
  pieces,
  read,
  write,
} from './hdfs-under-faults.ts'

const small = pieces(3, 1000)
/** More than is held: it is sent while it is written. */
const large = pieces(40)

const unreachable = { code: 'storage-unreachable', retry: 'backoff' }

function remoteException(exception: string, message: string): { status: number; body: string } {
  const javaClassName = `org.apache.hadoop.${exception}`
  const body = JSON.stringify({ RemoteException: { exception, javaClassName, message } })
  return { status: 403, body }
}

describe('a file that is created', () => {
  it.each([
    ['small', small],
    ['large', large],
  ])('goes to another DataNode when one cannot be reached: a %s one', async (_, parts) => {
    const folder = await freshFolder()
    // Nobody listens at this port any more.
    const closed = await openProxy({ target: nameNodeUrl })
    const gone = closed.origin
    await closed.close()
    let isFirst = true
    const nameNode = await openProxy({
      target: nameNodeUrl,
      redirectsTo: () => {
        const isGone = isFirst
        isFirst = false
        return isGone ? gone : behind.dataNode.origin
      },
    })
    const behind = await behindProxies({})
    await write(filesAt({ urls: [nameNode.origin] }), `${folder}/f`, parts)
    expect(Buffer.concat(parts).equals(await read(direct, `${folder}/f`))).toBe(true)
    expect(await direct.list(folder)).toEqual(['f'])
    const asked = nameNode.requests.filter(({ op }) => op === 'CREATE')
    expect(asked.map(({ url }) => url.searchParams.get('excludedatanodes'))).toEqual(
      // The only one that there is cannot be left out.
      [null, '127.0.0.1', null],
    )
  })

  it('is not there when its connection is cut, and that is said', async () => {
    const folder = await freshFolder()
    const cut = once('CREATE', { cutAfterBytes: 36 * 1024 * 1024 })
    const { files, dataNode } = await behindProxies({ dataNode: cut })
    await expect(write(files, `${folder}/f`, large)).rejects.toMatchObject({
      ...unreachable,
      message: expect.stringMatching(
        new RegExp(`^cannot write ${folder}/f: ${dataNode.origin} cannot be used: `),
      ),
      context: { file: `${folder}/f` },
    })
    expect(await direct.stat(`${folder}/f`)).toBeNull()
    expect(await direct.list(folder)).toEqual([])
    // Who writes it anew is not in the way of a lease, or of what was left.
    await write(files, `${folder}/f`, large)
    expect((await direct.stat(`${folder}/f`))?.sizeBytes).toBe(40 * 1024 * 1024)
  })

  it.each([
    ['its connection is cut', { cutAfterBytes: 1500 }],
    ['the DataNode’s answer is lost', 'lose-answer'],
    ['the DataNode says no more', 'hang'],
    ['no DataNode has room', remoteException('IOException', 'could only be written to 0 of 1')],
  ] as const)('is sent again when it is small and %s', async (_, fault) => {
    const folder = await freshFolder()
    const { files, dataNode } = await behindProxies(
      { dataNode: once('CREATE', fault) },
      { requestTimeoutMs: 1000 },
    )
    await write(files, `${folder}/f`, small)
    expect(await read(direct, `${folder}/f`)).toEqual(Buffer.concat(small))
    expect(await direct.list(folder)).toEqual(['f'])
    expect(dataNode.ops).toEqual(['CREATE', 'CREATE'])
  })

  it('keeps what the second try wrote when the first reaches the DataNode after it', async () => {
    const folder = await freshFolder()
    const { promise: heldUntil, resolve: release } = Promise.withResolvers<void>()
    const { files } = await behindProxies(
      { dataNode: once('CREATE', { heldUntil }) },
      { requestTimeoutMs: 300 },
    )
    await write(files, `${folder}/f`, small)
    release()
    const all = async (): Promise<string[]> => {
      const url = `${nameNodeUrl}/webhdfs/v1${folder}?op=LISTSTATUS&user.name=forager`
      const answer = (await (await fetch(url)).json()) as {
        FileStatuses: { FileStatus: { pathSuffix: string }[] }
      }
      return answer.FileStatuses.FileStatus.map(({ pathSuffix }) => pathSuffix)
    }
    await expect.poll(all, { timeout: 20_000 }).toHaveLength(2)
    expect(await direct.list(folder)).toEqual(['f'])
    expect(await read(direct, `${folder}/f`)).toEqual(Buffer.concat(small))
  })

  it('gets its name once when the answer to that is lost', async () => {
    const folder = await freshFolder()
    const { files, nameNode } = await behindProxies({ nameNode: once('RENAME', 'lose-answer') })
    await write(files, `${folder}/f`, small)
    expect(await read(direct, `${folder}/f`)).toEqual(Buffer.concat(small))
    expect(nameNode.ops.filter(op => op === 'RENAME')).toHaveLength(1)
  })
})

describe('a folder that is renamed', () => {
  async function prepared(): Promise<string> {
    const folder = await freshFolder()
    await direct.makeDirectory(`${folder}/from`)
    await write(direct, `${folder}/from/f`, small)
    return folder
  }

  it.each([
    ['did not reach the NameNode', 'cut', 2],
    ['was answered, and the answer is lost', 'lose-answer', 1],
  ] as const)('has its new name when the request %s', async (_, fault, requests) => {
    const folder = await prepared()
    const { files, nameNode } = await behindProxies({ nameNode: once('RENAME', fault) })
    await files.rename(`${folder}/from`, `${folder}/to`)
    expect(await direct.list(folder)).toEqual(['to'])
    expect(await direct.list(`${folder}/to`)).toEqual(['f'])
    expect(nameNode.ops.filter(op => op === 'RENAME')).toHaveLength(requests)
  })

  it('has it when the first request comes to the NameNode late, just before the second', async () => {
    const folder = await prepared()
    const { promise: heldUntil, resolve: release } = Promise.withResolvers<void>()
    let requests = 0
    const { files } = await behindProxies(
      {
        nameNode: ({ op }) => {
          if (op !== 'RENAME') return 'pass'
          requests += 1
          if (requests === 1) return { heldUntil }
          if (requests > 2) return 'pass'
          // The second try has looked, and is on its way.
          release()
          const isRenamed = (): Promise<unknown> => direct.stat(`${folder}/to`)
          return { delayedUntil: () => expect.poll(isRenamed).not.toBeNull() }
        },
      },
      { requestTimeoutMs: 1000 },
    )
    await files.rename(`${folder}/from`, `${folder}/to`)
    expect(requests).toBe(2)
    expect(await direct.list(folder)).toEqual(['to'])
    expect(await direct.list(`${folder}/to`)).toEqual(['f'])
  })

  it('does not move into a folder that is there, also where the server would do that', async () => {
    const folder = await prepared()
    await direct.makeDirectory(`${folder}/to`)
    const withoutOptions = await openProxy({
      target: nameNodeUrl,
      forwardedUrl: url => {
        const simple = new URL(url)
        simple.searchParams.delete('renameoptions')
        return simple
      },
    })
    const files = filesAt({ urls: [withoutOptions.origin] })
    await expect(files.rename(`${folder}/from`, `${folder}/to`)).rejects.toMatchObject({
      code: 'storage-failed',
      context: { file: `${folder}/to` },
    })
    expect(await direct.list(`${folder}/to`)).toEqual([])
    await files.rename(`${folder}/from`, `${folder}/other`)
    expect(await direct.list(folder)).toEqual(['other', 'to'])
  })
})

describe('an operation whose answer is lost', () => {
  it('is done once more without harm', async () => {
    const folder = await freshFolder()
    for (const op of ['MKDIRS', 'DELETE', 'LISTSTATUS', 'GETFILESTATUS']) {
      const { files } = await behindProxies({ nameNode: once(op, 'lose-answer') })
      await files.makeDirectory(`${folder}/a/b`)
      expect(await files.list(`${folder}/a`)).toEqual(['b'])
      await files.remove(`${folder}/a`)
      expect(await files.stat(`${folder}/a`)).toBeNull()
    }
  })

  it('of a read is read again, also when it breaks in its middle', async () => {
    const folder = await freshFolder()
    await write(direct, `${folder}/f`, large)
    for (const fault of ['lose-answer', { cutAnswerAfterBytes: 2_000_000 }] as const) {
      const { files, dataNode } = await behindProxies({ dataNode: once('OPEN', fault) })
      const file = await files.open(`${folder}/f`)
      const bytes = Buffer.from(await file.read(1_000_000, 9_000_000))
      const expected = Buffer.concat(large).subarray(1_000_000, 10_000_000)
      expect(bytes.equals(expected)).toBe(true)
      expect(dataNode.ops).toEqual(['OPEN', 'OPEN'])
    }
  })
})

describe('of several NameNodes', () => {
  it('the one that serves is asked, and is remembered', async () => {
    const folder = await freshFolder()
    const standby = await openProxy({
      target: nameNodeUrl,
      faultOf: always(
        remoteException('StandbyException', 'Operation category READ is not supported'),
      ),
    })
    const active = await openProxy({ target: nameNodeUrl })
    const files = filesAt({ urls: [standby.origin, active.origin] })
    await write(files, `${folder}/f`, small)
    await files.rename(`${folder}/f`, `${folder}/g`)
    expect(await files.list(folder)).toEqual(['g'])
    expect(standby.requests).toHaveLength(1)
  })

  it.each([
    ['cannot be reached', 'cut'],
    ['is silent', 'hang'],
    ['is starting', remoteException('RetriableException', 'Namenode is in startup mode')],
    ['is broken', { status: 503, body: '<html>' }],
  ] as const)('another is asked when one %s', async (_, fault) => {
    const folder = await freshFolder()
    const failing = await openProxy({ target: nameNodeUrl, faultOf: always(fault) })
    const active = await openProxy({ target: nameNodeUrl })
    const urls = [failing.origin, active.origin]
    const files = filesAt({ urls, requestTimeoutMs: 500 })
    await files.makeDirectory(`${folder}/a`)
    await files.makeDirectory(`${folder}/b`)
    expect(failing.requests).toHaveLength(1)
    expect(await files.list(folder)).toEqual(['a', 'b'])
  })

  it('the active one is found again when they change places', async () => {
    const folder = await freshFolder()
    let active = 0
    const standbyUnless = (place: number) => () =>
      active === place ? 'pass' : remoteException('StandbyException', 'not supported in standby')
    const nodes = await Promise.all(
      [0, 1].map(place => openProxy({ target: nameNodeUrl, faultOf: standbyUnless(place) })),
    )
    const files = filesAt({ urls: nodes.map(({ origin }) => origin) })
    for (const name of ['a', 'b', 'c', 'd']) {
      await files.makeDirectory(`${folder}/${name}`)
      active = 1 - active
    }
    expect(await direct.list(folder)).toEqual(['a', 'b', 'c', 'd'])
  })

  it('none that serves is said, with its reason, when the time is over', async () => {
    const folder = await freshFolder()
    const safe = remoteException('SafeModeException', 'Name node is in safe mode.')
    const { files, nameNode } = await behindProxies(
      { nameNode: always(safe) },
      { retryTimeoutMs: 1000 },
    )
    await expect(files.makeDirectory(`${folder}/a`)).rejects.toMatchObject({
      ...unreachable,
      message: expect.stringContaining(
        `${nameNode.origin} said SafeModeException: Name node is in safe mode.`,
      ),
    })
    expect(nameNode.requests.length).toBeGreaterThan(2)
  })
})
