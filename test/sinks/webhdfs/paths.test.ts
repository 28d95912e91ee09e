import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { hdfsPath, nameOfHdfs } from '../../../sinks/webhdfs/paths.ts'

describe('a path in HDFS', () => {
  it('stays as it is where names are plain', () => {
    const path = '/forager/staging/1_0/3-9-7-0a1b2c3d.writing/ods.orders_2026-year=1.orc'
    expect(hdfsPath(path)).toBe(path)
  })

  it('has no character that a URL, HDFS or Hive would read otherwise', () => {
    expect(hdfsPath('/a b/c:d/100%/e+f/~/grün')).toBe('/a~20b/c~3ad/100~25/e~2bf/~7e/gr~c3~bcn')
    const paths = fc.string({ unit: 'binary' }).map(hdfsPath)
    fc.assert(fc.property(paths, path => /^[A-Za-z0-9_=.~/-]*$/.test(path)))
  })

  it('gives every name back', () => {
    const names = fc.string({ unit: 'grapheme', minLength: 1 }).filter(name => !name.includes('/'))
    fc.assert(
      fc.property(names, name => {
        expect(nameOfHdfs(hdfsPath(name))).toBe(name)
      }),
    )
  })
})
