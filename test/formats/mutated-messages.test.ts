import { describe, expect, it } from 'vitest'
import { seededRandom } from '../../runtime/random.ts'
import { madeConnectors, makeProgram, placed } from '../main/made-changes.ts'
import { flatDecoder } from './flat-samples.ts'
import { checkDamaged, checkMutations } from './mutated-messages.ts'
import { decoderOf } from './samples.ts'

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

  it.each(madeConnectors)('of $name is refused or read as well', connector => {
    const program = makeProgram(seededRandom(1), 20)
    const records = placed(connector, program, () => 0, true)
      .filter(({ value }) => value !== null)
      .map((record, offset) => ({ ...record, offset }))
    const newDecoder = () =>
      connector.format === undefined ? decoderOf({ hints: {} }) : flatDecoder({ hints: {} })
    const { decoded, refused } = checkDamaged(records, newDecoder, 1, 1000)
    expect(decoded).toBeGreaterThan(50)
    expect(refused).toBeGreaterThan(50)
  })
})
