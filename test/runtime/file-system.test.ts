import fs, { chmod, mkdir, symlink, writeFile } from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import type { FileSystem } from '../../runtime/file-system.ts'
import { nodeFileSystem, replaceFile, writeWholeFile } from '../../runtime/file-system.ts'
import { seededRandom } from '../../runtime/random.ts'
import { SimulatedFileSystem } from '../../testkit/simulated-file-system.ts'
import { CrashingFiles } from '../log/crashing-files.ts'
import { inTemporaryFolder } from '../log/logs.ts'

const implementations: readonly {
  readonly name: string
  readonly withFiles: (
    action: (files: FileSystem, folder: string) => Promise<void>,
  ) => Promise<void>
}[] = [
  {
    name: 'real files',
    withFiles: action => inTemporaryFolder(folder => action(nodeFileSystem, folder)),
  },
  {
    name: 'simulated files',
    withFiles: async action => {
      const files = new SimulatedFileSystem({ random: seededRandom(1) })
      await files.makeDirectory('/tmp/folder')
      await action(files, '/tmp/folder')
    },
  },
]

const bytes = Buffer.from('0123456789')

describe.each(implementations)('$name', ({ withFiles }) => {
  it('hold what was written where it was written', async () => {
    await withFiles(async (files, folder) => {
      const path = join(folder, 'file')
      const handle = await files.open(path, 'write')
      await handle.write(bytes, 0)
      await handle.write(Buffer.from('ab'), 4)
      await handle.write(Buffer.from('z'), 12)
      await handle.sync()
      expect(await handle.sizeBytes()).toBe(13)
      expect(await handle.read(3, 4)).toEqual(Buffer.from('3ab6'))
      expect(await handle.read(11, 100)).toEqual(Buffer.from('\0z'))
      expect(await handle.read(13, 5)).toEqual(Buffer.alloc(0))
      await handle.truncate(2)
      await handle.close()
      expect(await files.readFile(path)).toEqual(Buffer.from('01'))
      const again = await files.open(path, 'write')
      expect(await again.sizeBytes()).toBe(2)
      await again.close()
    })
  })

  it('list names in order, and nothing of a folder that is not there', async () => {
    await withFiles(async (files, folder) => {
      for (const name of ['b', 'a', 'c']) await writeWholeFile(files, join(folder, name), bytes)
      await files.makeDirectory(join(folder, 'B/deep'))
      expect(await files.list(folder)).toEqual(['B', 'a', 'b', 'c'])
      expect(await files.list(join(folder, 'nothing'))).toEqual([])
      expect(await files.list(join(folder, 'a'))).toEqual([])
    })
  })

  it('say what there is', async () => {
    await withFiles(async (files, folder) => {
      await writeWholeFile(files, join(folder, 'a'), bytes)
      expect(await files.stat(join(folder, 'a'))).toEqual({ sizeBytes: 10, isDirectory: false })
      expect(await files.stat(folder)).toMatchObject({ isDirectory: true })
      expect(await files.stat(join(folder, 'b'))).toBeNull()
      expect(await files.stat(join(folder, 'a/b'))).toBeNull()
    })
  })

  it('are replaced by a rename, and given a second name only where there is none', async () => {
    await withFiles(async (files, folder) => {
      const [a, b, c] = ['a', 'b', 'c'].map(name => join(folder, name)) as [string, string, string]
      await writeWholeFile(files, a, Buffer.from('a'))
      await writeWholeFile(files, b, Buffer.from('b'))
      expect(await files.linkNew(a, b)).toBe(false)
      expect(await files.linkNew(a, c)).toBe(true)
      await files.rename(a, b)
      expect(await files.list(folder)).toEqual(['b', 'c'])
      expect((await files.readFile(b)).toString()).toBe('a')
      expect((await files.readFile(c)).toString()).toBe('a')
    })
  })

  it('are removed with all that is in them, and once is as good as twice', async () => {
    await withFiles(async (files, folder) => {
      const inner = join(folder, 'x/y')
      await files.makeDirectory(inner)
      await files.makeDirectory(inner)
      await writeWholeFile(files, join(inner, 'a'), bytes)
      await files.remove(join(folder, 'x'))
      await files.remove(join(folder, 'x'))
      expect(await files.list(folder)).toEqual([])
      await files.makeDirectory(inner)
      expect(await files.list(inner)).toEqual([])
    })
  })

  it('that are missing are storage-failed, with their path', async () => {
    await withFiles(async (files, folder) => {
      const path = join(folder, 'missing')
      const failed = { code: 'storage-failed', context: { file: path } }
      await expect(files.open(path, 'read')).rejects.toMatchObject(failed)
      await expect(files.readFile(path)).rejects.toMatchObject(failed)
      await expect(files.readFile(path)).rejects.toThrow('no such file or folder')
      await expect(files.open(join(path, 'deep'), 'write')).rejects.toMatchObject({
        code: 'storage-failed',
      })
      await expect(files.rename(path, join(folder, 'b'))).rejects.toMatchObject({
        code: 'storage-failed',
      })
    })
  })

  it('are locked by one at a time', async () => {
    await withFiles(async (files, folder) => {
      const path = join(folder, 'lock')
      const lock = await files.lock(path)
      await expect(files.lock(path)).rejects.toMatchObject({ code: 'state-locked' })
      await lock.release()
      await (await files.lock(path)).release()
    })
  })

  it('that are replaced hold the new bytes, and leave nothing beside them', async () => {
    await withFiles(async (files, folder) => {
      const path = join(folder, 'file')
      await replaceFile(files, path, bytes)
      await replaceFile(files, path, Buffer.from('new'))
      expect((await files.readFile(path)).toString()).toBe('new')
      expect(await files.list(folder)).toEqual(['file'])
    })
  })
})

describe('real files that fail', () => {
  it.each([
    [
      'a folder that is read as a file',
      (at: string) => nodeFileSystem.readFile(at),
      'that is a folder, not a file',
    ],
    [
      'a folder below a file',
      (at: string) => nodeFileSystem.makeDirectory(join(at, 'file/x')),
      'a part of the path is not a folder',
    ],
    [
      'a name that is too long',
      (at: string) => nodeFileSystem.open(join(at, 'x'.repeat(300)), 'write'),
      'the name is too long',
    ],
  ])('(%s) say why', async (_what, action, why) => {
    await inTemporaryFolder(async folder => {
      await writeFile(join(folder, 'file'), 'x')
      await expect(action(folder)).rejects.toMatchObject({
        code: 'storage-failed',
        retry: 'never',
        message: expect.stringContaining(why),
      })
    })
  })

  it.runIf(process.platform === 'linux')(
    'because the disk is full may be tried again',
    async () => {
      const device = await nodeFileSystem.open('/dev/full', 'write')
      await expect(device.write(bytes, 0)).rejects.toMatchObject({
        code: 'storage-failed',
        retry: 'backoff',
        message: 'cannot write /dev/full: the disk is full',
        context: { file: '/dev/full' },
      })
      await device.close()
    },
  )

  it('make a folder durable that was there already: its maker may not have come to it', async () => {
    await inTemporaryFolder(async folder => {
      const synced: string[] = []
      const open = fs.open
      vi.spyOn(fs, 'open').mockImplementation(async (...args) => {
        const handle = await open(...args)
        const sync = handle.sync.bind(handle)
        handle.sync = async () => {
          synced.push(String(args[0]))
          await sync()
        }
        return handle
      })
      syncBuiltinESMExports()
      await mkdir(join(folder, 'a/b'), { recursive: true })
      await nodeFileSystem.makeDirectory(join(folder, 'a/b'))
      expect(synced).toEqual(expect.arrayContaining([join(folder, 'a'), folder]))
      synced.length = 0
      await nodeFileSystem.makeDirectory(join(folder, 'a/b'))
      expect(synced).toEqual([])
      await nodeFileSystem.makeDirectory(join(folder, 'a/b/c/d'))
      expect(synced).toEqual([join(folder, 'a/b/c'), join(folder, 'a/b')])
      vi.restoreAllMocks()
      syncBuiltinESMExports()
    })
  })

  it('that are links are followed, and folders without rights are not lost', async () => {
    await inTemporaryFolder(async folder => {
      await mkdir(join(folder, 'real'))
      await symlink(join(folder, 'real'), join(folder, 'link'))
      await nodeFileSystem.makeDirectory(join(folder, 'link/deep'))
      expect(await nodeFileSystem.list(join(folder, 'real'))).toEqual(['deep'])
      await chmod(join(folder, 'real'), 0o555)
      const making = nodeFileSystem.makeDirectory(join(folder, 'real/other'))
      // A user without limits writes there all the same.
      const expected = process.getuid?.() === 0 ? 'made' : 'permission denied'
      const outcome = await making.then(
        () => 'made',
        (error: Error) => error.message,
      )
      expect(outcome).toContain(expected)
      await chmod(join(folder, 'real'), 0o755)
    })
  })
})

describe('a crash', () => {
  const path = '/folder/file'

  it('while a file is replaced leaves the old one or the new one', async () => {
    const seen = new Set<string>()
    const prepare = async (crashAt: number): Promise<CrashingFiles> => {
      const disk = new CrashingFiles(seededRandom(crashAt))
      await disk.files.makeDirectory('/folder')
      await replaceFile(disk.files, path, Buffer.from('old'))
      disk.crashAt(crashAt)
      return disk
    }
    const whole = await prepare(Number.POSITIVE_INFINITY)
    await replaceFile(whole.files, path, Buffer.from('newer'))
    for (let crashAt = 1; crashAt <= whole.calls; crashAt += 1) {
      const disk = await prepare(crashAt)
      const replace = (): Promise<void> => replaceFile(disk.files, path, Buffer.from('newer'))
      expect(await disk.survives(replace)).toBe(false)
      seen.add((await disk.files.readFile(path)).toString())
    }
    expect([...seen].sort()).toEqual(['newer', 'old'])
  })

  it('keeps what was synced, and of the rest anything or nothing', async () => {
    const outcomes = new Set<string>()
    for (let seed = 1; seed <= 60; seed += 1) {
      const files = new SimulatedFileSystem({ random: seededRandom(seed) })
      await files.makeDirectory('/folder')
      const handle = await files.open(path, 'write')
      await handle.write(Buffer.from('synced'), 0)
      await handle.sync()
      await files.syncDirectory('/folder')
      await handle.write(Buffer.from('not synced'), 6)
      await files.open('/folder/name', 'write')
      files.crash()
      const text = (await files.readFile(path)).toString()
      expect('syncednot synced'.startsWith(text)).toBe(true)
      expect(text.startsWith('synced')).toBe(true)
      outcomes.add(`${text.length} ${(await files.stat('/folder/name')) === null}`)
    }
    expect(outcomes.size).toBeGreaterThan(6)
    expect([...outcomes].map(one => one.split(' ')[1])).toEqual(
      expect.arrayContaining(['true', 'false']),
    )
  })

  it('keeps a folder that was made again after it was removed', async () => {
    for (let seed = 1; seed <= 20; seed += 1) {
      const files = new SimulatedFileSystem({ random: seededRandom(seed) })
      await files.makeDirectory('/folder/inner')
      await files.remove('/folder/inner')
      await files.makeDirectory('/folder/inner')
      files.crash()
      expect(await files.stat('/folder/inner')).toMatchObject({ isDirectory: true })
    }
  })
})
