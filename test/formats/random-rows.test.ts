import { describe, it } from 'vitest'
import { flatForm } from './flat-rows.ts'
import { checkRandomRows } from './random-rows.ts'

describe('rows of random types', () => {
  it.each([1, 2, 3, 4])('are what a model of their own says, 2,500 of seed %i', seed => {
    checkRandomRows(seed, 2500)
  })
})

describe('flattened rows of random types', () => {
  it.each([1, 2, 3, 4])('are what a model of their own says, 1,000 of seed %i', seed => {
    checkRandomRows(seed, 1000, flatForm)
  })
})
