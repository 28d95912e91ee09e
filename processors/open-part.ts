/** One table's part of an open window: what is known of its changes beside the changes themselves. */
import { ByteReader } from '../model/bytes.ts'
import type { ChangedKey } from '../model/changed-key.ts'
import { assert } from '../model/errors.ts'
import type { NetChange } from '../model/net-change.ts'
import { readNetChange } from '../model/net-change.ts'
import type { Target } from '../model/partition-by.ts'
import { newerTruncate } from '../model/position.ts'
import type { NewestRow, TruncateMarker } from '../model/staged-batch.ts'
import type { TableSchema } from '../model/table-schema.ts'
import { unionSchema } from '../model/table-schema.ts'

export interface OpenPart {
  readonly target: Target
  /** Leads the keys of the part in the store; a truncate takes a new one. */
  prefix: string
  schemas: TableSchema[]
  /** By schema: time of the newest whole row under it; 0: there is none. */
  wholeMs: number[]
  /** The same of any change: a patch tells its columns, though not all of their values. */
  seenMs: number[]
  union: TableSchema | null
  truncate: TruncateMarker | null
  isSpread: boolean
  /** Halves whose changes are in it. */
  changedKeys: ChangedKey[]
  /** Of their keys. */
  changedKeyBytes: number
  eventCount: number
  firstMs: number
  lastMs: number
  /** Undefined before the first change. */
  firstPosition: string | undefined
  lastPosition: string
}

export function emptyPart(target: Target, prefix: string): OpenPart {
  return {
    target,
    prefix,
    schemas: [],
    wholeMs: [],
    seenMs: [],
    union: null,
    truncate: null,
    isSpread: false,
    changedKeys: [],
    changedKeyBytes: 0,
    eventCount: 0,
    firstMs: Number.MAX_SAFE_INTEGER,
    lastMs: 0,
    firstPosition: undefined,
    lastPosition: '',
  }
}

/** Of truncates through several source partitions the later one may come first. */
export function newerMarker(known: TruncateMarker | null, given: TruncateMarker): TruncateMarker {
  if (known?.point == null || given.point === null || given.isOrdered) return given
  return newerTruncate(known.point, given.point) === known.point ? known : given
}

/** Of the schema among those of the part, which has it from now on. */
export function schemaNumber(part: OpenPart, schema: TableSchema): number {
  const known = part.schemas.indexOf(schema)
  if (known >= 0) return known
  part.union = part.union === null ? schema : unionSchema(part.union, schema)
  part.wholeMs.push(0)
  part.seenMs.push(0)
  return part.schemas.push(schema) - 1
}

/** Types that were seen in values tell nothing of columns that are not there: a row leaves out what is null. */
export function newestRow({ schemas, wholeMs, seenMs, union }: OpenPart): NewestRow | null {
  const atMs = wholeMs.reduce(
    (a, b, at) => (schemas[at]!.isInferred === true ? a : Math.max(a, b)),
    0,
  )
  if (atMs === 0) return null
  // Of rows that are equally new nobody knows which came first: what one of them has is there.
  const latest = schemas.filter((_, at) => seenMs[at]! >= atMs)
  const known = new Set(latest.flatMap(({ columns }) => columns.map(({ id }) => id)))
  const without = union!.columns.map(({ id }) => id).filter(id => !known.has(id))
  return without.length === 0 ? { atMs } : { atMs, without }
}

export const unknownSchema = 'a stored change has a schema that its window never saw'

export function decodeChange(part: OpenPart, bytes: Uint8Array): NetChange {
  const reader = new ByteReader(bytes)
  const schema = part.schemas[reader.count()]
  assert(schema !== undefined, unknownSchema)
  return readNetChange(reader, schema)
}
