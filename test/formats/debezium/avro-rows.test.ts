import { describe, it } from 'vitest'
import { checkAvroRows } from './avro-rows.ts'

describe('rows of random types in Avro', () => {
  it.each([1, 2, 3, 4])('are what a model of their own says, 2,500 of seed %i', async seed => {
    await checkAvroRows(seed, 2500)
  })
})
