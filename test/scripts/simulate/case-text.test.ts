import { expect, it } from 'vitest'
import { numbersText, parseNumbers, replayLine } from '../../../scripts/simulate/case-text.ts'

it.each([
  ['3', [1, 2, 3]],
  ['3-3', [3]],
  ['1-3,7', [1, 2, 3, 7]],
  ['2,4-5', [2, 4, 5]],
])('the statements %s are read, and written so', (text, numbers) => {
  expect(parseNumbers(text)).toEqual(numbers)
  expect(numbersText(numbers)).toBe(text)
})

it.each(['', '0', 'x', '1,,2', '3-1', '2,1', '1-2-3', '-1', '1.5'])('"%s" is no list', text => {
  expect(parseNumbers(text)).toBeNull()
})

it('a case is the line that runs it again, without what is as it is by default', () => {
  const whole = { seed: 7, statements: [1, 2, 3], instances: null }
  expect(replayLine('any', { ...whole, withoutFaults: [], skippedFaults: [] })).toBe(
    'npm run simulate -- --seed 7 --statements 3 --shrink-runs 0',
  )
  const some = { seed: 7, statements: [3, 17], instances: 1 }
  const off = { withoutFaults: ['pause', 'slow'], skippedFaults: ['crash-2'] }
  expect(replayLine('spread', { ...some, ...off })).toBe(
    'npm run simulate -- --scenario spread --seed 7 --statements 3,17 --instances 1 ' +
      '--without pause,slow --skip-faults crash-2 --shrink-runs 0',
  )
})
