import { expect, it } from 'vitest'
import type { ComparablePosition } from '../../model/position.ts'
import { maxSkewMs } from '../../processors/drop-repeats.ts'
import {
  type LastChange,
  standingOf,
  standingOfReplayed,
} from '../../processors/order-by-position.ts'

const at = (pos: number, parts: Partial<ComparablePosition> = {}): ComparablePosition => ({
  connector: 'mysql',
  name: 'db',
  server: '1',
  log: 'binlog',
  order: [1, pos, 0],
  transaction: null,
  isSnapshot: false,
  ...parts,
})

const last: LastChange = { position: at(100), sourceMs: 1000, deletedAtMs: null }

it('a change is older strictly below the last one of its key', () => {
  expect(standingOf(at(99), 999, last)).toBe('older')
  expect(standingOf(at(100), 1000, last)).toBe('follows')
  expect(standingOf(at(101), 500, last)).toBe('follows')
  expect(standingOf(at(1), 0, null)).toBe('follows')
})

it('what does not compare is unknown', () => {
  expect(standingOf(null, 2000, last)).toBe('unknown')
  expect(standingOf(null, 2000, null)).toBe('unknown')
  expect(standingOf(at(99, { name: 'db@restored' }), 2000, last)).toBe('unknown')
  expect(standingOf(at(99, { server: '2' }), 2000, last)).toBe('unknown')
})

it('the clock of the source tells a log that began anew from a late change', () => {
  expect(standingOf(at(99), 1000 + maxSkewMs, last)).toBe('older')
  expect(standingOf(at(99), 1001 + maxSkewMs, last)).toBe('unknown')
})

it('what is replayed must follow the last change, and what an incremental snapshot read', () => {
  const known = { last, readAt: at(200, { isSnapshot: true }) }
  expect(standingOfReplayed(at(250), known)).toBe('follows')
  expect(standingOfReplayed(at(150), known)).toBe('older')
  expect(standingOfReplayed(at(150), { last, readAt: null })).toBe('follows')
  expect(standingOfReplayed(at(150), { last: null, readAt: known.readAt })).toBe('older')
  expect(standingOfReplayed(at(1), { last: null, readAt: null })).toBe('follows')
  expect(standingOfReplayed(at(250, { server: '2' }), known)).toBe('unknown')
  expect(standingOfReplayed(null, { last: null, readAt: null })).toBe('unknown')
})
