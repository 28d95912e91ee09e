/**
 * What all files do that staging can lie in, as data: a list of cases that a test framework runs one by
 * one. They use assertions of Node alone, so that they run in any.
 *
 *     for (const { title, run } of stagingFilesConformance) {
 *       test(title, async () => await run(myFiles, await freshFolder()))
 *     }
 */
import { deepEqual, equal, match, notEqual, ok, rejects } from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { StateError } from '../model/errors.ts'
import { seededRandom } from '../runtime/random.ts'
import type { ReadableFile, StagingFiles } from '../sinks/staging-files.ts'

export interface StagingFilesConformanceCase {
  readonly title: string
  /** Rejects when the files do not conform. `folder` is there, is empty, and is the case's own. */
  readonly run: (files: StagingFiles, folder: string) => Promise<void>
}

async function write(files: StagingFiles, path: string, ...pieces: string[]): Promise<void> {
  const file = await files.create(path)
  for (const piece of pieces) await file.write(Buffer.from(piece))
  await file.close()
}

async function withFile<T>(
  files: StagingFiles,
  path: string,
  body: (file: ReadableFile) => Promise<T>,
): Promise<T> {
  const file = await files.open(path)
  try {
    return await body(file)
  } finally {
    await file.close()
  }
}

function read(files: StagingFiles, path: string): Promise<string> {
  return withFile(files, path, async file => textOf(await file.read(0, file.sizeBytes)))
}

const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('utf8')

/** Refused, with an error that names the path. */
async function refuses(path: string, action: () => Promise<unknown>): Promise<void> {
  await rejects(action, (error: unknown) => {
    ok(error instanceof StateError, `${String(error)} is no StateError`)
    equal(error.code, 'storage-failed')
    equal(error.context.file, path)
    ok(error.message.includes(path), `${error.message} does not name ${path}`)
    return true
  })
}

const contents: readonly StagingFilesConformanceCase[] = [
  {
    title: 'a file has what was written, in order',
    run: async (files, folder) => {
      await write(files, `${folder}/f`, 'one ', 'two ', '', 'three')
      equal(await read(files, `${folder}/f`), 'one two three')
      deepEqual(await files.stat(`${folder}/f`), { sizeBytes: 13, isDirectory: false })
    },
  },
  {
    title: 'a file may be empty',
    run: async (files, folder) => {
      await write(files, `${folder}/f`)
      equal(await read(files, `${folder}/f`), '')
      deepEqual(await files.stat(`${folder}/f`), { sizeBytes: 0, isDirectory: false })
    },
  },
  {
    title: 'a file is read in ranges, in any order and at once, up to its end',
    run: async (files, folder) => {
      await write(files, `${folder}/f`, '0123456789')
      await withFile(files, `${folder}/f`, async file => {
        equal(file.sizeBytes, 10)
        const ranges = [
          [7, 3, '789'],
          [0, 1, '0'],
          [2, 5, '23456'],
          [8, 5, '89'],
          [10, 4, ''],
          [12, 4, ''],
          [3, 0, ''],
        ] as const
        const found = await Promise.all(
          ranges.map(async ([offset, length]) => textOf(await file.read(offset, length))),
        )
        deepEqual(
          found,
          ranges.map(([, , text]) => text),
        )
      })
    },
  },
  {
    title: 'bytes are the caller’s again when they are written',
    run: async (files, folder) => {
      const bytes = Buffer.alloc(3)
      const file = await files.create(`${folder}/f`)
      for (const piece of ['abc', 'def', 'ghi']) {
        bytes.write(piece)
        await file.write(bytes)
      }
      bytes.fill('x')
      await file.close()
      equal(await read(files, `${folder}/f`), 'abcdefghi')
    },
  },
  {
    title: 'a file of 64 MiB has every byte, whole and in ranges',
    run: async (files, folder) => {
      const piece = Buffer.alloc(1024 * 1024)
      const random = seededRandom(5)
      for (let at = 0; at < piece.length; at += 4) {
        piece.writeUInt32LE(Math.floor(random.next() * 2 ** 32), at)
      }
      const written = createHash('sha256')
      const file = await files.create(`${folder}/large`)
      for (let number = 0; number < 64; number += 1) {
        piece.writeUInt32LE(number)
        written.update(piece)
        await file.write(piece)
      }
      await file.close()
      await withFile(files, `${folder}/large`, async large => {
        equal(large.sizeBytes, 64 * piece.length)
        const found = createHash('sha256')
        // Neither what was written at once nor what a server may hold at once.
        const length = 3_000_000
        for (let offset = 0; offset < large.sizeBytes; offset += length) {
          found.update(await large.read(offset, length))
        }
        equal(found.digest('hex'), written.digest('hex'))
      })
    },
  },
  {
    title: 'files that are written at the same time do not mix',
    run: async (files, folder) => {
      const names = ['a', 'b', 'c', 'd']
      const open = await Promise.all(names.map(name => files.create(`${folder}/${name}`)))
      for (let round = 0; round < 20; round += 1) {
        await Promise.all(
          open.map((file, place) => file.write(Buffer.from(names[place]!.repeat(99)))),
        )
      }
      await Promise.all(open.map(file => file.close()))
      for (const name of names) equal(await read(files, `${folder}/${name}`), name.repeat(1980))
    },
  },
  {
    title: 'a file that is created again has what was written last, however short it is',
    run: async (files, folder) => {
      await write(files, `${folder}/f`, 'a long text')
      await write(files, `${folder}/f`, 'short')
      equal(await read(files, `${folder}/f`), 'short')
      deepEqual(await files.list(folder), ['f'])
    },
  },
  {
    title:
      'a file that was given up does not stand in the way of another, or of its folder’s removal',
    run: async (files, folder) => {
      const inner = `${folder}/inner`
      await files.makeDirectory(inner)
      for (const sizeBytes of [0, 10, 40 * 1024 * 1024]) {
        const file = await files.create(`${inner}/f`)
        await file.write(Buffer.alloc(sizeBytes))
        await file.abort()
      }
      await write(files, `${inner}/f`, 'whole')
      equal(await read(files, `${inner}/f`), 'whole')
      const last = await files.create(`${inner}/g`)
      await last.abort()
      await files.remove(inner)
      equal(await files.stat(inner), null)
    },
  },
  {
    title: 'a file needs its folder',
    run: async (files, folder) => {
      const path = `${folder}/none/f`
      await refuses(path, () => write(files, path, 'x'))
      equal(await files.stat(`${folder}/none`), null)
    },
  },
  {
    title: 'what is not there cannot be opened',
    run: (files, folder) => refuses(`${folder}/none`, () => files.open(`${folder}/none`)),
  },
]

const folders: readonly StagingFilesConformanceCase[] = [
  {
    title: 'a folder is made with its parents, and again without harm',
    run: async (files, folder) => {
      await files.makeDirectory(`${folder}/a/b/c`)
      await write(files, `${folder}/a/b/f`, 'x')
      await files.makeDirectory(`${folder}/a/b`)
      deepEqual(await files.list(`${folder}/a/b`), ['c', 'f'])
      equal((await files.stat(`${folder}/a/b`))?.isDirectory, true)
      await files.syncDirectory(`${folder}/a`)
    },
  },
  {
    title: 'the names of a folder are sorted; there are none where nothing is, or a file',
    run: async (files, folder) => {
      for (const name of ['b', 'a', 'C', 'ä', '10', '9']) await write(files, `${folder}/${name}`)
      deepEqual(await files.list(folder), ['10', '9', 'C', 'a', 'b', 'ä'])
      deepEqual(await files.list(`${folder}/none`), [])
      deepEqual(await files.list(`${folder}/a`), [])
      equal(await files.stat(`${folder}/none`), null)
    },
  },
  {
    title: 'a folder of 1,100 names is listed whole',
    run: async (files, folder) => {
      const names = Array.from({ length: 1100 }, (_, number) => String(10_000 + number))
      for (let start = 0; start < names.length; start += 20) {
        const some = names.slice(start, start + 20)
        await Promise.all(some.map(name => files.makeDirectory(`${folder}/${name}`)))
      }
      deepEqual(await files.list(folder), names)
    },
  },
  {
    title: 'what is removed is gone with all that is in it; what is not there may be removed',
    run: async (files, folder) => {
      await files.makeDirectory(`${folder}/a/b`)
      await write(files, `${folder}/a/b/f`, 'x')
      await write(files, `${folder}/f`, 'x')
      await files.remove(`${folder}/f`)
      deepEqual(await files.list(folder), ['a'])
      await files.remove(`${folder}/a`)
      deepEqual(await files.list(folder), [])
      await files.remove(`${folder}/a`)
      await files.remove(`${folder}/a/b/f`)
    },
  },
]

const renames: readonly StagingFilesConformanceCase[] = [
  {
    title: 'a folder is renamed with what is in it',
    run: async (files, folder) => {
      await files.makeDirectory(`${folder}/from/inner`)
      await write(files, `${folder}/from/f`, 'x')
      await write(files, `${folder}/from/inner/g`, 'y')
      await files.rename(`${folder}/from`, `${folder}/to`)
      deepEqual(await files.list(folder), ['to'])
      deepEqual(await files.list(`${folder}/to`), ['f', 'inner'])
      equal(await read(files, `${folder}/to/inner/g`), 'y')
      await files.syncDirectory(folder)
    },
  },
  {
    title: 'nothing is renamed onto a folder, whether it is empty or not, or into it',
    run: async (files, folder) => {
      await files.makeDirectory(`${folder}/from`)
      await write(files, `${folder}/from/f`, 'x')
      await files.makeDirectory(`${folder}/to`)
      for (const content of [[], ['g']]) {
        for (const name of content) await write(files, `${folder}/to/${name}`, 'y')
        await refuses(`${folder}/to`, () => files.rename(`${folder}/from`, `${folder}/to`))
        deepEqual(await files.list(folder), ['from', 'to'])
        deepEqual(await files.list(`${folder}/from`), ['f'])
        deepEqual(await files.list(`${folder}/to`), content)
      }
    },
  },
  {
    title: 'nothing is renamed onto a file',
    run: async (files, folder) => {
      await files.makeDirectory(`${folder}/from`)
      await write(files, `${folder}/file`, 'x')
      await write(files, `${folder}/to`, 'y')
      for (const name of ['from', 'file']) {
        await refuses(`${folder}/to`, () => files.rename(`${folder}/${name}`, `${folder}/to`))
      }
      equal(await read(files, `${folder}/to`), 'y')
      deepEqual(await files.list(folder), ['file', 'from', 'to'])
    },
  },
  {
    title: 'what is not there cannot be renamed',
    run: async (files, folder) => {
      await rejects(
        files.rename(`${folder}/from`, `${folder}/to`),
        (error: unknown) => error instanceof StateError && error.code === 'storage-failed',
      )
      deepEqual(await files.list(folder), [])
    },
  },
]

const oddNames = [
  'a b',
  ' ',
  'grün 日本 🚲',
  '100%',
  'a%2fb',
  'a%252fb',
  'a+b',
  'year=2026',
  'a;b,c',
  'a?b#c&d',
  'a~b',
  '~7e',
  '[x]{y}*',
  'a\\b',
  '"\'$`<>|^',
  '..x',
  '_hidden',
  'n'.repeat(120),
]

const names: readonly StagingFilesConformanceCase[] = [
  {
    title: 'names may hold any characters, of files and of folders',
    run: async (files, folder) => {
      for (const name of oddNames) {
        await files.makeDirectory(`${folder}/x${name}.writing`)
        await write(files, `${folder}/x${name}.writing/${name}`, name)
        await files.rename(`${folder}/x${name}.writing`, `${folder}/x${name}`)
      }
      const sorted = oddNames.map(name => `x${name}`).sort()
      deepEqual(await files.list(folder), sorted)
      for (const name of oddNames) {
        deepEqual(await files.list(`${folder}/x${name}`), [name])
        equal(await read(files, `${folder}/x${name}/${name}`), name)
        await files.remove(`${folder}/x${name}`)
      }
      deepEqual(await files.list(folder), [])
    },
  },
  {
    title: 'every path has a location of its own',
    run: (files, folder) => {
      const locations = oddNames.map(name => files.locationOf(`${folder}/${name}`))
      equal(new Set(locations).size, oddNames.length)
      for (const location of locations) match(location, /^[a-z]+:\/\//)
      notEqual(files.locationOf(folder), files.locationOf(`${folder}/x`))
      return Promise.resolve()
    },
  },
]

export const stagingFilesConformance: readonly StagingFilesConformanceCase[] = [
  ...contents,
  ...folders,
  ...renames,
  ...names,
]
