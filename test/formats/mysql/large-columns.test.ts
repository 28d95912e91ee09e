/** Columns that MySQL left out of a row (`binlog_row_image=NOBLOB`), as canal shows it. */
import { describe, expect, it } from 'vitest'
import { canalJson } from '../../../formats/canal/canal-json.ts'
import type { Decoder } from '../../../formats/decoder.ts'
import { keyEvent } from '../../../processors/key-events.ts'
import { recordOf } from '../samples.ts'

const canal = { database: 'd', table: 't', isDdl: false, es: 1, pkNames: ['id'], old: null }
const types = { id: 'int', n: 'int', doc: 'text' }
const insert = { type: 'INSERT', mysqlType: types, data: [{ id: '1', n: '1', doc: 'x' }] }
const without = { mysqlType: { id: 'int', n: 'int' }, data: [{ id: '1', n: '2' }] }
const update = { type: 'UPDATE', ...without, old: [{ n: '1' }] }

function kindAfter(decoder: Decoder, message: object): string {
  const decoded = decoder.decode(recordOf(null, { ...canal, ...message }))
  if (decoded.kind !== 'changes') throw new Error('it is a change')
  return keyEvent(decoded.events[0]!, null).kind
}

describe('an update of canal’s', () => {
  const options = { hintsOf: () => ({}), incarnation: '', connectorSettings: {} }

  it('without a column that an insert had keeps what the row has', () => {
    const decoder = canalJson().createDecoder(options)
    expect(kindAfter(decoder, insert)).toBe('upsert')
    expect(kindAfter(decoder, update)).toBe('patch')
  })

  it('tells of its own columns alone before a whole row was seen, as after a restart', () => {
    const before = canalJson().createDecoder(options)
    kindAfter(before, insert)
    const decoder = canalJson().createDecoder(options)
    decoder.restore(before.memory)
    expect(kindAfter(decoder, update)).toBe('patch')
  })

  it('is the whole row where whole rows of the table look so', () => {
    const decoder = canalJson().createDecoder(options)
    kindAfter(decoder, { type: 'INSERT', ...without })
    expect(kindAfter(decoder, update)).toBe('upsert')
  })
})
