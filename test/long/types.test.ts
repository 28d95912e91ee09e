import { describe, expect, it } from 'vitest'
import { checkCanalRows } from '../formats/canal/canal-model.ts'
import { checkAvroRows } from '../formats/debezium/avro-rows.ts'
import { flatForm } from '../formats/flat-rows.ts'
import { checkMutations } from '../formats/mutated-messages.ts'
import { checkRandomRows } from '../formats/random-rows.ts'

describe('rows of random types', () => {
  it('are what a model of their own says, 100,000 of them', () => {
    for (let seed = 1001; seed <= 1010; seed += 1) checkRandomRows(seed, 10_000)
  })
})

describe('flattened rows of random types', () => {
  it('are what a model of their own says, 100,000 of them', () => {
    for (let seed = 1001; seed <= 1010; seed += 1) checkRandomRows(seed, 10_000, flatForm)
  })
})

describe('rows of canal, of random types', () => {
  it('are what a model has, 100,000 of them, by flat messages and row by row', () => {
    for (let seed = 1001; seed <= 1010; seed += 1) checkCanalRows(seed, 10_000)
  })
})

describe('damaged messages', () => {
  it.each([
    'mariadb/m1_json_schema_true.jsonl',
    'mariadb/m2_json_schema_false_friendly_modes.jsonl',
    'mariadb/m4_single_topic_router.jsonl',
    'mariadb/m5_unwrapped_flat.jsonl',
    'postgres/p1_json_schema_true.jsonl',
    'postgres/p2_json_schema_false_friendly_modes.jsonl',
  ])('of %s are refused or read, 50,000 of them', path => {
    const { decoded, refused } = checkMutations(path, 1001, 50_000)
    expect(decoded + refused).toBe(50_000)
  })
})

describe('a hundred thousand rows of random types in Avro', () => {
  it.each([1, 2, 3, 4])('are what a model of their own says, 25,000 of seed %i', async seed => {
    await checkAvroRows(100 + seed, 25_000)
  })
})
