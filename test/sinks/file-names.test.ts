import { basename, join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fileNameOf, nameOfFile } from '../../sinks/file-names.ts'

const names = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 30 }),
  fc.constantFrom(
    '.',
    '..',
    '...',
    '_x',
    '',
    '%',
    '%2e',
    '/',
    '../../etc/passwd',
    'a/b',
    '\0',
    'Ü😀',
  ),
)

describe('the file name of a table', () => {
  it('can be turned back into the name', () => {
    fc.assert(
      fc.property(names, name => {
        expect(nameOfFile(fileNameOf(name))).toBe(name)
      }),
    )
  })

  it('is one segment of a path that is neither hidden nor leaves its folder', () => {
    fc.assert(
      fc.property(names, name => {
        const fileName = fileNameOf(name)
        expect(fileName).toMatch(/^[A-Za-z0-9=%-][\w=.%-]*$/)
        expect(basename(join('/root', fileName))).toBe(fileName)
      }),
    )
  })

  it('is the name itself where that is plain', () => {
    expect(fileNameOf('user_order-2')).toBe('user_order-2')
  })
})
