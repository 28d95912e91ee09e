import { it } from 'vitest'
import { checkCanalRows } from './canal-model.ts'

it('10,000 generated rows of random types are what a model has, by flat messages and row by row', () => {
  checkCanalRows(1, 10_000)
})
