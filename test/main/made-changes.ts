/**
 * Changes of one table as connectors send them that were not recorded, made from a program that any seed
 * gives: transactions that insert, update and delete a few rows, and the table as it is in the end.
 */
import type { LogRecord } from '../../model/change-event.ts'
import type { Random } from '../../runtime/random.ts'
import type { NewRecord } from '../../testkit/memory-source.ts'
import { cassandra, db2, mongodb, oracle, sqlserver, xstream } from '../formats/connectors.ts'
import { changeOf, type Field, mariadb, recordOf, withSchema } from '../formats/samples.ts'

export interface Row {
  readonly id: number
  readonly name: string | null
  readonly v: number
}

/** One change of a row, with its place. */
export interface Change {
  readonly op: 'c' | 'u' | 'd'
  readonly before: Row | null
  readonly after: Row | null
  readonly id: number
  /** Number of the transaction, and of the change within it. */
  readonly transaction: number
  readonly place: number
  /** For what a connector has a choice in. */
  readonly choice: number
}

export interface MadeConnector {
  readonly name: string
  readonly table: string
  readonly format?: 'debezium-flat'
  /** What it sends of a change: a value, or the tombstone behind a delete. */
  readonly messages: (change: Change, isWhole: boolean) => readonly LogRecord[]
  /** Whether its events have positions in every case, by which repeats are known. */
  readonly hasPositions: boolean
}

export interface Program {
  readonly changes: readonly Change[]
  readonly rows: ReadonlyMap<number, Row>
}

export function makeProgram(random: Random, transactions: number): Program {
  const changes: Change[] = []
  const rows = new Map<number, Row>()
  const any = (count: number): number => Math.floor(random.next() * count)
  for (let transaction = 1; transaction <= transactions; transaction += 1) {
    const count = 1 + any(3)
    for (let place = 1; place <= count; place += 1) {
      const id = 1 + any(7)
      const before = rows.get(id) ?? null
      const isDelete = before !== null && any(4) === 0
      const name = any(5) === 0 ? null : `n${any(2)}`
      const after = isDelete ? null : { id, name, v: any(1000) }
      const op = isDelete ? 'd' : before === null ? 'c' : 'u'
      changes.push({ op, before, after, id, transaction, place, choice: any(2) })
      if (after === null) rows.delete(id)
      else rows.set(id, after)
    }
  }
  return { changes, rows }
}

/** Every record at its partition, by key, or anywhere. */
export function placed(
  connector: MadeConnector,
  { changes }: Program,
  placeOf: (change: Change) => number,
  isWhole: boolean,
): readonly NewRecord[] {
  return changes.flatMap(change => {
    const partition = placeOf(change)
    return connector.messages(change, isWhole).map(record => ({ ...record, partition }))
  })
}

const fields: readonly Field[] = [
  { type: 'int32', optional: false, field: 'id' },
  { type: 'string', optional: true, field: 'name' },
  { type: 'int64', optional: false, field: 'v' },
]

const msOf = ({ transaction }: Change): number => 1_700_000_000_000 + transaction * 1000
const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, '0')

/** Rows before and after, in an envelope with its schema. */
function relational(
  name: string,
  topic: string,
  sourceOf: (change: Change) => Readonly<Record<string, unknown>>,
): MadeConnector {
  return {
    name,
    table: topic.split('.').slice(-2).join('.'),
    hasPositions: !name.includes('cluster'),
    messages: change => {
      const { op, before, after, id } = change
      const source = { ...sourceOf(change), ts_ms: msOf(change) }
      const value = withSchema(changeOf({ op, before, after, source }), fields)
      const message = recordOf({ id }, value, { topic })
      return op === 'd' ? [message, recordOf({ id }, null, { topic })] : [message]
    },
  }
}

const oracleAt =
  (threads: number) =>
  ({ transaction, place }: Change) => ({
    ...oracle,
    commit_scn: String(8_000_000 + transaction * 10),
    // Of a transaction that began long before.
    scn: String(7_000_000 - transaction * 100 + place),
    txId: hex(transaction, 16),
    txSeq: place,
    redo_thread: 1 + (transaction % threads),
  })

/** Flattened, with what the transform was told to add. */
function flat(
  name: string,
  isRewritten: boolean,
  fieldsOf: (change: Change) => Readonly<Record<string, unknown>>,
): MadeConnector {
  const topic = 'm1.demo.orders'
  const typeOf = (value: unknown): string => (typeof value === 'number' ? 'int64' : 'string')
  return {
    name,
    table: 'demo.orders',
    format: 'debezium-flat',
    hasPositions: isRewritten,
    messages: change => {
      const { op, before, after, id } = change
      const added = {
        ...(isRewritten ? { __deleted: String(op === 'd') } : {}),
        ...fieldsOf(change),
      }
      const ofAdded = Object.entries(added).map(([field, value]) => {
        return { type: typeOf(value), optional: true, field }
      })
      const schema = { type: 'struct', fields: [...fields, ...ofAdded], optional: false }
      const key = {
        schema: { type: 'struct', fields: fields.slice(0, 1), optional: false },
        payload: { id },
      }
      const value = { schema, payload: { ...(after ?? before), ...added } }
      const messages = op !== 'd' || isRewritten ? [recordOf(key, value, { topic })] : []
      return op === 'd' ? [...messages, recordOf(key, null, { topic })] : messages
    },
  }
}

function documents(name: string, wallTime: boolean): MadeConnector {
  const topic = 'g1.shop.orders'
  return {
    name,
    table: 'shop.orders',
    hasPositions: !wallTime,
    messages: (change, isWhole) => {
      const { op, before, after, id, place, choice } = change
      const ms = msOf(change)
      const source = { ...mongodb, ts_ms: ms, ord: place, wallTime: wallTime ? ms : null }
      const document = after === null ? null : { _id: id, name: after.name, v: after.v }
      const isPatch = op === 'u' && choice === 0 && !isWhole
      const isRenamed = before?.name !== after?.name
      const updated = isRenamed && after?.name !== null ? { name: after?.name } : {}
      const updateDescription = {
        updatedFields: JSON.stringify({ v: after?.v, ...updated }),
        removedFields: isRenamed && after?.name === null ? ['name'] : null,
        truncatedArrays: null,
      }
      const value = {
        before: null,
        after: document === null || isPatch ? null : JSON.stringify(document),
        updateDescription: isPatch ? updateDescription : null,
        source,
        op,
      }
      const key = { id: String(id) }
      const message = recordOf(key, value, { topic })
      return op === 'd' ? [message, recordOf(key, null, { topic })] : [message]
    },
  }
}

/** One agent's log: of the other replicas' nothing is said. */
const cells: MadeConnector = {
  name: 'cassandra',
  table: 'shop.orders',
  hasPositions: false,
  messages: change => {
    const { op, before, after, id } = change
    const cell = (value: unknown) => ({ value, deletion_ts: null, set: true })
    // An update names the columns that it changes.
    const isSame = before !== null && after !== null && before.name === after.name
    const columns = {
      id: cell(id),
      name: isSame ? null : cell(after?.name ?? null),
      v: cell(after?.v ?? null),
    }
    const cellField = ({ type, field, optional }: Field) => ({
      type: 'struct',
      optional: optional ?? false,
      field,
      fields: [{ type, optional: true, field: 'value' }],
    })
    const schema = {
      type: 'struct',
      fields: [{ type: 'struct', fields: fields.map(cellField), field: 'after' }],
    }
    const named = { c: 'i', u: 'u', d: 'd' }[op]
    const payload = { op: named, source: { ...cassandra, ts_ms: msOf(change) }, after: columns }
    const message = recordOf({ id }, { schema, payload }, { topic: 'c1.shop.orders' })
    return op === 'd' ? [message, recordOf({ id }, null, { topic: 'c1.shop.orders' })] : [message]
  },
}

export const madeConnectors: readonly MadeConnector[] = [
  relational('oracle', 'o1.SHOP.ORDERS', oracleAt(1)),
  relational('oracle in a cluster', 'o1.SHOP.ORDERS', oracleAt(2)),
  relational('oracle by XStream', 'o1.SHOP.ORDERS', ({ transaction, place }) => ({
    ...xstream,
    lcr_position: hex(transaction, 16) + hex(place, 8),
  })),
  relational('sqlserver', 's1.shop.dbo.orders', ({ transaction, place, op }) => ({
    ...sqlserver,
    commit_lsn: `00000027:${hex(transaction, 8)}:0005`,
    change_lsn: `00000027:${hex(transaction, 8)}:000${place}`,
    event_serial_no: op === 'u' ? 2 : 1,
  })),
  relational('db2', 'b1.DB2INST1.ORDERS', ({ transaction, place }) => ({
    ...db2,
    commit_lsn: `00000000:00000000:${hex(transaction, 16)}`,
    change_lsn: `00000000:0000000${place}:${hex(9000 - transaction, 16)}`,
  })),
  documents('mongodb', false),
  documents('mongodb that tells the wall clock', true),
  cells,
  flat('flattened', false, () => ({})),
  flat('flattened with places', true, change => ({
    __op: change.op,
    __source_ts_ms: msOf(change),
    __connector: 'mariadb',
    __file: mariadb.file,
    __pos: change.transaction * 1000 + change.place,
    __row: 0,
    __server_id: 1,
  })),
]
