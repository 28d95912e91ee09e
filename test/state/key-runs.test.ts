import fc from 'fast-check'
import { expect, it } from 'vitest'
import { KeyRuns } from '../../state/key-runs.ts'

/** More than some runs, in an order that has nothing to do with theirs. */
const shuffled = Array.from({ length: 20_011 }, (_, index) => {
  const number = (index * 7919) % 20_011
  return String.fromCharCode((number >> 8) & 0xff, number & 0xff)
})

it('keys of many runs go out in order, each once, in parts', () => {
  const runs = new KeyRuns()
  for (const key of shuffled) runs.add(key)
  const parts = [...runs.parts(1000)]
  expect(parts.map(part => part.length)).toEqual([...Array.from({ length: 20 }, () => 1000), 11])
  expect(parts.flat()).toEqual(shuffled.toSorted())
})

it('they can be read again, and more can be added then', () => {
  const runs = new KeyRuns()
  for (const key of ['b', 'a']) runs.add(key)
  expect([...runs.parts(10)]).toEqual([['a', 'b']])
  runs.add('\u00ff')
  runs.add('aa')
  expect([...runs.parts(3)]).toEqual([['a', 'aa', 'b'], ['\u00ff']])
  expect([...new KeyRuns().parts(10)]).toEqual([])
})

it('any keys of bytes come in the order of their bytes', () => {
  const bytes = fc.uint8Array({ maxLength: 6 })
  fc.assert(
    fc.property(fc.uniqueArray(bytes.map(one => Buffer.from(one).toString('latin1'))), keys => {
      const runs = new KeyRuns()
      for (const key of keys) runs.add(key)
      const sorted = keys.map(key => Buffer.from(key, 'latin1')).sort((a, b) => a.compare(b))
      const found = [...runs.parts(7)].flat()
      expect(found).toEqual(sorted.map(key => key.toString('latin1')))
    }),
  )
})
