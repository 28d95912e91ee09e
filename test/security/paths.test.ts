import { basename, join, resolve } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { partitionOf } from '../../model/partition-by.ts'
import { decodeStagedBatch, encodeStagedBatch, resumeMarker } from '../../model/staged-batch.ts'
import { seededRandom } from '../../runtime/random.ts'
import { listTables, tableFolder } from '../../sinks/embedded/table-folders.ts'
import { fileNameOf, nameOfFile, shortName } from '../../sinks/file-names.ts'
import { localStagingFiles } from '../../sinks/local-staging-files.ts'
import { hdfsPath, nameOfHdfs } from '../../sinks/webhdfs/paths.ts'
import { SimulatedFileSystem } from '../../testkit/simulated-file-system.ts'
import { column, idAndText, openDriver, upsert as upsertRow } from '../sinks/embedded/changes.ts'
import { batches, stagingIn, twoColumns, upsert } from '../sinks/staged-files-parts.ts'
import { anyName, hostileNames } from './hostile-names.ts'

/** Of the file systems that there are. */
const maxNameBytes = 255
const root = '/state/staging'

function isBelow(path: string, folder: string): boolean {
  const found = resolve(path)
  return found === path && found.startsWith(`${folder}/`) && !found.includes('\0')
}

describe('the name of a table', () => {
  it('is one file name of any file system, and another one for another table', () => {
    const known = new Map<string, string>()
    fc.assert(
      fc.property(anyName, name => {
        const file = fileNameOf(name)
        expect(basename(join('/root', file))).toBe(file)
        expect(file).toMatch(/^[A-Za-z0-9=%-][\w=.%~-]*$/)
        expect(Buffer.byteLength(file)).toBeLessThanOrEqual(maxNameBytes - '~99.orc'.length)
        const bytes = Buffer.from(name, 'utf8').toString('latin1')
        expect(known.get(file) ?? bytes).toBe(bytes)
        known.set(file, bytes)
        if (!file.includes('~')) expect(nameOfFile(file)).toBe(Buffer.from(name).toString())
      }),
      { numRuns: 2000 },
    )
  })

  it('leads to a folder of the warehouse, below its root', () => {
    fc.assert(
      fc.property(anyName, anyName, (database, table) => {
        expect(isBelow(tableFolder('/warehouse', `${database}.${table}`), '/warehouse')).toBe(true)
      }),
      { numRuns: 1000 },
    )
  })

  it('leads to a file of its window in staging, whatever it is', async () => {
    const fileSystem = new SimulatedFileSystem({ random: seededRandom(1) })
    const staging = stagingIn({ files: localStagingFiles(fileSystem), root })
    for (const [index, name] of hostileNames.entries()) {
      const range = { from: index, to: index + 1 }
      const window = await staging.openWindow({ task: name, token: 1 }, range)
      const file = await window.write(`ods.${name}`, twoColumns, batches([upsert('k')]))
      await window.seal()
      const path = join(root, file.path)
      expect([name, isBelow(path, root), path.split('/').length]).toEqual([name, true, 6])
      expect((await fileSystem.stat(path))?.sizeBytes).toBe(file.sizeBytes)
    }
  })

  it('is found again where the warehouse had to cut it', async () => {
    const fileSystem = new SimulatedFileSystem({ random: seededRandom(1) })
    const names = ['ods.plain', `ods.${'漢'.repeat(64)}`, `ods.${'x'.repeat(300)}`]
    const one = await openDriver()
    await one.applyChanges([upsertRow([1, 'a'])], idAndText)
    const commits = await one.files.list('/warehouse/ods/t/_commits')
    const commit = await one.files.readFile(`/warehouse/ods/t/_commits/${commits[0]}`)
    for (const name of names) {
      const folder = `${tableFolder('/warehouse', name)}/_commits`
      await fileSystem.makeDirectory(folder)
      const handle = await fileSystem.open(`${folder}/${commits[0]}`, 'write')
      const text = commit.toString().replace('"ods.t"', JSON.stringify(name))
      await handle.write(Buffer.from(text), 0)
      await handle.close()
    }
    expect(await listTables(fileSystem, '/warehouse')).toEqual(names.toSorted())
  })
})

describe('the value of a partition', () => {
  it('leads to one folder of the table’s data', () => {
    fc.assert(
      fc.property(anyName, anyName, (name, value) => {
        const by = { column: name, unit: 'value' } as const
        const folder = shortName(partitionOf(by, column(name, 'string'), value))
        expect(basename(join('/data', folder))).toBe(folder)
        expect(folder.includes('\0')).toBe(false)
        expect(Buffer.byteLength(folder)).toBeLessThanOrEqual(maxNameBytes)
      }),
      { numRuns: 2000 },
    )
  })
})

describe('a path in HDFS', () => {
  it('is the same in its URL, which ends nowhere else and asks for nothing more', () => {
    fc.assert(
      fc.property(anyName, name => {
        const path = `/forager/shop/${fileNameOf(name)}/1-1/_writing-x`
        const escaped = hdfsPath(path)
        const url = new URL(`/webhdfs/v1${escaped}`, 'http://namenode:9870')
        expect(url.href).toBe(`http://namenode:9870/webhdfs/v1${escaped}`)
        expect([url.search, url.hash, url.host]).toEqual(['', '', 'namenode:9870'])
        expect(url.pathname).toMatch(/^\/webhdfs\/v1\/forager\/shop\/[\w=.~-]+\/1-1\/_writing-x$/)
        expect(escaped.split('/').map(nameOfHdfs).join('/')).toBe(path)
      }),
      { numRuns: 1000 },
    )
  })
})

describe('a staged batch, as its topic has it', () => {
  const written = (path: string) => {
    const file = { path, sizeBytes: 1, rowCount: 1, isUpserts: true }
    return decodeStagedBatch(encodeStagedBatch({ ...resumeMarker('ods.t'), files: [file] }))
  }

  it('names files below the root of staging', () => {
    expect(written('1_0/3-9-7-abcdef01/ods.a.orc').files[0]!.path).toContain('ods.a')
    for (const name of hostileNames) expect(() => written(`1_0/${fileNameOf(name)}`)).not.toThrow()
  })

  it.each([
    '',
    '/etc/passwd',
    '../x',
    'a/../../x',
    'a/..',
    '..',
    '.',
    './x',
    'a//b',
    'a\0',
    'a\\b',
  ])('that names %j is not taken: it would be read, and removed', path => {
    expect(() => written(path)).toThrow('outside of its folder')
  })
})
