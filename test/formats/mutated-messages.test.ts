import { describe, expect, it } from 'vitest'
import { checkMutations } from './mutated-messages.ts'

describe('a damaged message', () => {
  it.each([
    'mariadb/m1_json_schema_true.jsonl',
    'mariadb/m2_json_schema_false_friendly_modes.jsonl',
    'mariadb/m5_unwrapped_flat.jsonl',
    'postgres/p1_json_schema_true.jsonl',
    'postgres/p2_json_schema_false_friendly_modes.jsonl',
  ])('of %s is refused or read, and never breaks the decoder', path => {
    const { decoded, refused } = checkMutations(path, 1, 2000)
    expect(decoded).toBeGreaterThan(100)
    expect(refused).toBeGreaterThan(100)
  })
})
