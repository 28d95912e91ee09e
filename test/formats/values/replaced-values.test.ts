/** What is counted as replaced, by each way that a format has to write it. */
import { describe, expect, it } from 'vitest'
import type { Decoder } from '../../../formats/decoder.ts'
import { lastMoment } from '../../../formats/values/debezium-values.ts'
import { infinitiesIn, replacedIn } from '../../../formats/values/replaced-values.ts'
import type { LogRecord } from '../../../model/change-event.ts'
import { parseStatedType } from '../../../model/stated-type.ts'
import { flatDecoder } from '../flat-samples.ts'
import { decoderOf as maxwellDecoder, message } from '../maxwell-samples.ts'
import { changeOf, decoderOf, postgres, recordOf, withSchema } from '../samples.ts'

function replacedBy(decoder: Decoder, record: LogRecord) {
  const decoded = decoder.decode(record)
  if (decoded.kind !== 'changes') throw new Error(`the record is of kind ${decoded.kind}`)
  return decoded.replaced
}

const debezium = (type: string, name: string) => ({ type, name: `io.debezium.time.${name}` })
const finite = { year: 2024, month: 2, day: 29, hour: 1, minute: 2, second: 3, picoseconds: 0 }
const none = { ...finite, month: 0, day: 0, specialValue: null }
const endless = { ...finite, specialValue: 'NEGATIVE_INFINITY' }

describe('a value of Debezium’s that is written as another one', () => {
  const row =
    (field: object) =>
    (value: unknown, op = 'c') => {
      const fields = [
        { type: 'int32', field: 'id', optional: false },
        { ...field, field: 'at', optional: true } as never,
      ]
      const sides = op === 'd' ? { before: { id: 1, at: value } } : { after: { id: 1, at: value } }
      const change = changeOf({ op, ...sides, source: postgres })
      const text = JSON.stringify(withSchema(change, fields), (_, one: unknown) =>
        typeof one === 'bigint' ? `#${one}#` : one,
      )
      return recordOf({ id: 1 }, text.replace(/"#(-?\d+)#"/g, '$1'))
    }

  it.each([
    ['a date', debezium('int32', 'Date'), -2_147_472_692, 2_932_896],
    ['a moment in milliseconds', debezium('int64', 'Timestamp'), 9_223_372_036_825_200n, 1],
    [
      'a moment in microseconds',
      debezium('int64', 'MicroTimestamp'),
      -9_223_372_036_832_400_000n,
      1,
    ],
    ['a moment in nanoseconds', debezium('int64', 'NanoTimestamp'), 2n ** 63n - 1n, 1],
    [
      'a moment of a zone',
      debezium('string', 'ZonedTimestamp'),
      'infinity',
      '9999-12-31T23:59:59.999999Z',
    ],
    ['a date in ISO form', debezium('string', 'IsoDate'), '-infinity', '9999-12-31'],
    [
      'a struct',
      debezium('struct', 'StructuredTimestamp'),
      endless,
      { ...finite, specialValue: null },
    ],
  ])('is counted: infinity of %s', (_, field, infinity, other) => {
    const recordFor = row(field)
    const decoder = decoderOf()
    // The second is read the short way, the others as well.
    for (let time = 0; time < 3; time += 1) {
      expect(replacedBy(decoder, recordFor(infinity))).toEqual({ infinity: 1 })
      expect(replacedBy(decoder, recordFor(other))).toBeUndefined()
      expect(replacedBy(decoder, recordFor(null))).toBeUndefined()
    }
    expect(replacedBy(decoder, recordFor(infinity, 'd'))).toBeUndefined()
  })

  it('is counted: a zero date, as a struct', () => {
    const recordFor = row(debezium('struct', 'StructuredDate'))
    const decoder = decoderOf()
    for (let time = 0; time < 3; time += 1) {
      expect(replacedBy(decoder, recordFor(none))).toEqual({ zero_date: 1 })
      expect(replacedBy(decoder, recordFor({ ...finite, specialValue: null }))).toBeUndefined()
    }
  })

  it('is counted where it was flattened', () => {
    const types = { id: parseStatedType('int'), at: parseStatedType('timestamp') }
    const decoder = flatDecoder({ hints: { types } })
    const given = recordOf({ id: 1 }, { id: 1, at: 'infinity', __op: 'c' })
    expect(replacedBy(decoder, given)).toEqual({ infinity: 1 })
  })
})

describe('a value of Maxwell’s', () => {
  it('that is a zero date is counted, except of a row that was deleted', () => {
    const types = { at: parseStatedType('timestamp'), on: parseStatedType('date') }
    const decoder = maxwellDecoder({ hints: { types } })
    const data = '{"id":1,"at":"0000-00-00 00:00:00","on":"2024-00-00"}'
    expect(replacedBy(decoder, message('insert', data))).toEqual({ zero_date: 2 })
    expect(replacedBy(decoder, message('delete', data))).toBeUndefined()
    expect(replacedBy(decoder, message('insert', '{"id":1,"at":null}'))).toBeUndefined()
  })
})

describe('a value that is what it is', () => {
  it('counts as one of its array only where it is infinity', () => {
    const given = ['infinity', '9999-12-31T23:59:59.999999Z', null, '-infinity']
    const value = [lastMoment, lastMoment, null, -62_135_596_800_000_000n]
    expect(infinitiesIn(given, value)).toBe(2)
    expect(replacedIn({ a: given }, { a: value })).toEqual({ infinity: 2 })
  })

  it('is not counted when it was not sent', () => {
    expect(replacedIn({}, { a: null })).toBeUndefined()
    expect(replacedIn(null, { a: null })).toBeUndefined()
  })
})
