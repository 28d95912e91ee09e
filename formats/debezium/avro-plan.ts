/**
 * How messages of one Avro schema are read by the short way (`avro-direct.ts`): what each field of the
 * envelope is, and by what the columns of a table's rows are read.
 */
import type { Column } from '../../model/table-schema.ts'
import { keyColumns } from '../../model/table-schema.ts'
import type { PassPlan } from '../avro/avro-pass.ts'
import { passPlanOf } from '../avro/avro-pass.ts'
import type { AvroType } from '../avro/avro-schema.ts'
import type { RowReader } from '../values/row-reader.ts'
import type { AvroColumn } from './avro-row-encoder.ts'
import { avroColumnOf } from './avro-row-encoder.ts'
import { AvroSource } from './avro-source.ts'
import type { RowRead } from './debezium-changes.ts'

export type AvroRecord = AvroType & { readonly kind: 'record' }

/** A member that may be null. */
interface Optional {
  readonly type: AvroType
  /** Its place in the union; -1 when there is no union. */
  readonly branch: number
}

/** Messages of one schema. */
export interface EnvelopePlan {
  readonly envelope: PassPlan
  /** What each field of the envelope is; null for those that nobody reads. */
  readonly roles: readonly ('before' | 'after' | 'source' | 'op' | 'transaction' | null)[]
  readonly source: AvroSource
  readonly row: AvroRecord
  readonly rowPass: PassPlan
  /** Of the row before and after in their unions. */
  readonly rowBranch: { readonly before: number; readonly after: number }
  readonly tables: Map<string, TablePlan>
}

export interface TablePlan {
  readonly database: unknown
  readonly hints: RowRead['hints']
  readonly reader: RowReader
  readonly isCurrent: NonNullable<RowRead['isCurrent']>
  readonly columns: readonly AvroColumn[]
  readonly keyColumns: readonly Column[]
  /** Places of the key columns among the columns. */
  readonly keyPlaces: readonly number[]
}

const inexact: ReadonlySet<string> = new Set(['float', 'double'])

/** Null for an envelope that is not Debezium's usual one. */
export function envelopePlanOf(type: AvroType): EnvelopePlan | null {
  if (type.kind !== 'record') return null
  const field = (name: string): AvroType | undefined =>
    type.fields.find(one => one.name === name)?.type
  const [before, after] = [optionalOf(field('before')), optionalOf(field('after'))]
  const source = field('source')
  if (after?.type.kind !== 'record' || source?.kind !== 'record') return null
  // Without a row before there is nothing to pass.
  if (before !== null && before.type !== after.type) return null
  if (field('op')?.kind !== 'string') return null
  return {
    envelope: passPlanOf(type.fields),
    roles: type.fields.map(one => roleOf(one.name)),
    source: new AvroSource(source.fields),
    row: after.type,
    rowPass: passPlanOf(after.type.fields),
    rowBranch: { before: before?.branch ?? -1, after: after.branch },
    tables: new Map(),
  }
}

function roleOf(name: string): EnvelopePlan['roles'][number] {
  switch (name) {
    case 'before':
    case 'after':
    case 'source':
    case 'op':
    case 'transaction':
      return name
    default:
      return null
  }
}

/** Null for what is neither a type nor one type or null. */
function optionalOf(type: AvroType | undefined): Optional | null {
  if (type === undefined) return null
  if (type.kind !== 'union') return { type, branch: -1 }
  const branch = type.branches.findIndex(({ kind }) => kind !== 'null')
  const isOne = type.branches.filter(({ kind }) => kind !== 'null').length === 1
  return isOne && type.branches.length === 2 ? { type: type.branches[branch]!, branch } : null
}

export function tablePlanOf(
  row: AvroRecord,
  { database, hints, reader, isCurrent }: RowRead,
): TablePlan | null {
  if (isCurrent === null) return null
  const { schema } = reader
  const columns: TablePlan['columns'][number][] = []
  for (const [index, { name, type }] of row.fields.entries()) {
    const optional = optionalOf(type)
    const converter = reader.convert.get(name)
    if (optional === null || converter === undefined) return null
    if (schema.columns[index]?.name !== name) return null
    columns.push(avroColumnOf(optional.type, optional.branch, converter))
  }
  const key = keyColumns(schema)
  // Their key is rounded, or loses a sign, on its way through the bytes: repeats are known by the key.
  if (key.length === 0 || key.some(({ type: { kind } }) => inexact.has(kind))) return null
  const keyPlaces = key.map(({ name }) => row.fields.findIndex(field => field.name === name))
  return { database, hints, reader, isCurrent, columns, keyColumns: key, keyPlaces }
}
