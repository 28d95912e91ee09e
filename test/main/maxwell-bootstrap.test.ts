/** Bootstraps of Maxwell between changes, changes without positions, and rows that are not whole. */
import { describe, expect, it } from 'vitest'
import type { LogRecord } from '../../model/change-event.ts'
import { MemorySource } from '../../testkit/memory-source.ts'
import { message } from '../formats/maxwell-samples.ts'
import { MainRun } from './main-run.ts'

const source = { format: 'maxwell-json' }

interface Place {
  readonly pos?: number
  readonly partition?: number
}

const at = (pos: number | undefined) =>
  pos === undefined ? {} : { position: `b.000001:${pos}`, commit: true }

function change(type: string, id: number, n: number, { pos, partition = 0 }: Place = {}) {
  const key = { database: 'd', table: 't', 'pk.id': id }
  return { ...message(type, `{"id":${id},"n":${n}}`, { ...at(pos), key }), partition }
}

const frame = (type: string): LogRecord => message(type, '{}')

async function linesAfter(
  records: readonly LogRecord[],
  config: object = {},
  partitions = 1,
): Promise<readonly string[]> {
  const topics = new MemorySource({ maxwell: partitions })
  for (const record of records) topics.append(record)
  const run = await MainRun.start({ source: topics, seed: 1, config: { source, ...config } })
  await run.finish()
  return await run.lines('d.t')
}

describe('a bootstrap', () => {
  const before = [change('insert', 1, 1, { pos: 100 }), change('insert', 2, 1, { pos: 200 })]
  const rows = [change('bootstrap-insert', 1, 2), change('bootstrap-insert', 3, 3)]
  const after = [change('update', 1, 4, { pos: 300 }), change('delete', 3, 3, { pos: 400 })]

  it('brings its rows, and what was queued meanwhile follows', async () => {
    const records = [
      ...before,
      frame('bootstrap-start'),
      ...rows,
      frame('bootstrap-complete'),
      ...after,
    ]
    expect(await linesAfter(records)).toEqual(['{"id":1,"n":4}', '{"id":2,"n":1}'])
  })

  it('that crashed comes whole again, with changes that were sent before', async () => {
    const records = [
      ...before,
      frame('bootstrap-start'),
      rows[0]!,
      // Maxwell starts anew: the bootstrap reads what the rows are now, the log begins a little earlier.
      frame('bootstrap-start'),
      ...rows,
      frame('bootstrap-complete'),
      before[1]!,
      ...after,
      // And once more, without a bootstrap.
      after[0]!,
      after[1]!,
      change('insert', 4, 1, { pos: 500 }),
    ]
    expect(await linesAfter(records)).toEqual([
      '{"id":1,"n":4}',
      '{"id":2,"n":1}',
      '{"id":4,"n":1}',
    ])
  })
})

describe('a key that changes without a position', () => {
  const changed = (partition: number): LogRecord => {
    const key = { database: 'd', table: 't', 'pk.id': 2 }
    return { ...message('update', '{"id":2,"n":1}', { key, old: '{"id":1}' }), partition }
  }

  it('is refused over several partitions, ordered by position or not', async () => {
    const records = [change('insert', 1, 1), changed(1)]
    for (const ordering of ['log', 'position']) {
      const config = { source: { ...source, ordering } }
      await expect(linesAfter(records, config, 2)).rejects.toMatchObject({
        code: 'changed-key-unordered',
      })
    }
  })

  it('is taken through one', async () => {
    expect(await linesAfter([change('insert', 1, 1), changed(0)])).toEqual(['{"id":2,"n":1}'])
  })
})

it('a changed key whose new row is found bad behind the decoder keeps its old one', async () => {
  const key = { database: 'd', table: 't', 'pk.id': 1 }
  const insert = message('insert', '{"id":1,"month":"2024-05-01"}', { key })
  const old = '{"id":1,"month":"2024-05-01"}'
  const moved = message('update', '{"id":2,"month":"never"}', { key, old })
  const tables = [{ from: '*.*', to: '{database}.{table}', partitionBy: 'year_month(month)' }]
  const config = { onError: 'skip', tables }
  expect(await linesAfter([insert, moved], config)).toEqual(['{"id":1,"month":"2024-05-01"}'])
})

describe('a column that an update left out', () => {
  const key = { database: 'd', table: 't', 'pk.id': 1 }
  const insert = message('insert', '{"id":1,"n":1,"doc":"long"}', { key })
  const update = message('update', '{"id":1,"n":2}', { key, old: '{"n":1}' })

  it('keeps what the table has, within a window and across windows', async () => {
    const kept = ['{"id":1,"n":2,"doc":"long"}']
    expect(await linesAfter([insert, update])).toEqual(kept)
    expect(await linesAfter([insert, update], { window: { maxRows: 1 } })).toEqual(kept)
  })

  it('goes with its row where the key changed', async () => {
    const moved = message('update', '{"id":2,"n":1}', { key, old: '{"id":1}' })
    const rows = ['{"id":2,"n":1,"doc":"long"}']
    expect(await linesAfter([insert, moved])).toEqual(rows)
    expect(await linesAfter([insert, moved], { window: { maxRows: 1 } })).toEqual(rows)
  })

  it('because it is null now, is null (`output_nulls=false`)', async () => {
    const emptied = message('update', '{"id":1,"n":1}', { key, old: '{"doc":"long"}' })
    expect(await linesAfter([insert, emptied])).toEqual(['{"id":1,"n":1,"doc":null}'])
  })
})
