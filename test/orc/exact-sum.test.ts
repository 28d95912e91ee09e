import fc from 'fast-check'
import { expect, it } from 'vitest'
import { ExactSum } from '../../orc/exact-sum.ts'

function sumOf(values: readonly (number | bigint)[]): bigint {
  const sum = new ExactSum()
  for (const value of values) sum.add(value)
  return sum.total()
}

it('many large odd numbers are summed without rounding', () => {
  const values = Array<number>(10_001).fill(2 ** 52 - 1)
  expect(sumOf(values)).toBe(10_001n * (2n ** 52n - 1n))
  expect(sumOf(values.map(value => -value))).toBe(-10_001n * (2n ** 52n - 1n))
})

it('numbers and bigints of any size are summed', () => {
  const integer = fc.oneof(fc.maxSafeInteger(), fc.bigInt({ min: -(2n ** 130n), max: 2n ** 130n }))
  fc.assert(
    fc.property(fc.array(integer), values => {
      expect(sumOf(values)).toBe(values.reduce<bigint>((sum, value) => sum + BigInt(value), 0n))
    }),
  )
})
