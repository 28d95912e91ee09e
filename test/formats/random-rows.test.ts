import { describe, it } from 'vitest'
import { checkRandomRows } from './random-rows.ts'

describe('rows of random types', () => {
  it.each([1, 2, 3, 4])('are what a model of their own says, 2,500 of seed %i', seed => {
    checkRandomRows(seed, 2500)
  })
})
