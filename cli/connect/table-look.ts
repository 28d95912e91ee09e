/** What the sampled messages of one source table have in common, and what is lost by it. */
import type { JsonObject } from '../../formats/json/json-messages.ts'
import { isObject } from '../../formats/json/json-messages.ts'
import type { ChangeEvent } from '../../model/change-event.ts'
import type { TableRule } from '../../processors/route-tables.ts'
import type { Finding } from './finding.ts'
import { problem } from './finding.ts'
import { payloadOf } from './message-shape.ts'

export interface TableOptions {
  /** Then it was asked for what it knows better. */
  readonly isDatabaseKnown: boolean
}

/** With fewer updates it may be chance. */
const enoughUpdates = 3

export class TableLook {
  readonly #name: string
  readonly #rule: TableRule
  readonly #hasPositions: boolean
  #rowCount = 0
  #keylessCount = 0
  #positionCount = 0
  #unnumberedCount = 0
  /** Not of a snapshot. */
  #changeCount = 0
  #updateCount = 0
  /** Of PostgreSQL. */
  #updatesWithoutBefore = 0
  /** Of MySQL and MariaDB: only the key of the row before is known. */
  #partialUpdates = 0
  /** Columns with a default that may be null, and were not seen to be. */
  readonly #defaults = new Set<string>()
  readonly #nulls = new Set<string>()
  /** How many columns rows had, in their order. */
  readonly #widths: { readonly isNew: boolean; readonly width: number }[] = []

  /** `hasPositions`: whether messages of the format can tell them. */
  constructor(name: string, rule: TableRule, hasPositions: boolean) {
    this.#hasPositions = hasPositions
    this.#name = name
    this.#rule = rule
  }

  /** A change as the decoder read it. */
  addEvent(event: ChangeEvent, hasRecordKey: boolean): void {
    if (event.op === 't') return
    this.#rowCount += 1
    if (event.key === null || !hasRecordKey) this.#keylessCount += 1
    if (event.snapshot !== 'no') return
    this.#changeCount += 1
    if (event.position !== null) this.#positionCount += 1
  }

  /** A message of Debezium. */
  addEnvelope(message: JsonObject, key: JsonObject | null): void {
    const payload = payloadOf(message)
    if (payload === null) return
    const { op, before, after, source } = payload
    const keyNames = Object.keys((key === null ? null : payloadOf(key)) ?? {})
    this.#addDefaults(message.schema, after)
    if (op !== 'u' || !isObject(after)) return
    this.#updateCount += 1
    const connector = isObject(source) ? source.connector : null
    if (connector === 'postgresql' && !isObject(before)) this.#updatesWithoutBefore += 1
    if ((connector === 'mysql' || connector === 'mariadb') && isObject(before)) {
      const hasOthers = (row: JsonObject): boolean =>
        Object.entries(row).some(([name, value]) => value !== null && !keyNames.includes(name))
      if (!hasOthers(before) && hasOthers(after)) this.#partialUpdates += 1
    }
  }

  /** A message of canal or Maxwell: columns that are not in it were not logged. */
  addBinlogRow(message: JsonObject): void {
    const type = typeof message.type === 'string' ? message.type.toLowerCase() : ''
    const rows: readonly unknown[] = Array.isArray(message.data) ? message.data : [message.data]
    const isNew = type === 'insert'
    for (const row of rows) {
      if (isObject(row)) this.#widths.push({ isNew, width: Object.keys(row).length })
    }
    const isNumbered = typeof message.xoffset === 'number' || message.commit === true
    if ('position' in message && 'xid' in message && !isNumbered) this.#unnumberedCount += 1
  }

  *findings({ isDatabaseKnown }: TableOptions): Generator<Finding> {
    const what = this.#name
    const { key, beforeImage, from } = this.#rule
    if (
      !isDatabaseKnown &&
      key === undefined &&
      this.#rowCount > 0 &&
      this.#keylessCount === this.#rowCount
    ) {
      const code = from.includes('*') ? 'events-without-key' : 'named-events-without-key'
      yield problem(code, what, 'its messages have no key')
    }
    if (this.#hasPositions && this.#changeCount > 0 && this.#positionCount === 0) {
      yield problem(
        'events-without-position',
        what,
        'its messages do not tell where in the log they were',
      )
    }
    if (this.#unnumberedCount > 0) {
      yield problem('events-without-number', what, 'its messages have no `xoffset`')
    }
    if (this.#isPartial()) {
      yield problem(
        'events-partial',
        what,
        'its updates or deletes have fewer columns than its inserts',
      )
    }
    if (this.#updateCount > 0 && this.#updatesWithoutBefore === this.#updateCount) {
      const fact = 'its updates have no `before`'
      if (beforeImage === 'full') yield problem('events-not-whole', what, fact)
      else if (!isDatabaseKnown) yield problem('events-without-before', what, fact)
    }
    const replaced = [...this.#defaults].filter(name => !this.#nulls.has(name))
    if (replaced.length > 0) {
      const text = `${replaced.join(', ')} may be null and ${replaced.length === 1 ? 'has' : 'have'} a default, and no message has a null there`
      yield problem('events-defaults', what, text)
    }
  }

  #isPartial(): boolean {
    const isEmptied =
      this.#partialUpdates >= enoughUpdates && this.#partialUpdates === this.#updateCount
    return this.#isNarrower() || isEmptied
  }

  /** Narrower than the new row before and the new one after: a column that came or went is no reason. */
  #isNarrower(): boolean {
    const between = this.#widths.flatMap(({ isNew, width }, index) => {
      const before = this.#widths.slice(0, index).findLast(row => row.isNew)
      const after = this.#widths.slice(index).find(row => row.isNew)
      if (isNew || before === undefined || after === undefined) return []
      return [width < Math.min(before.width, after.width)]
    })
    return between.length > 0 && between.every(Boolean)
  }

  #addDefaults(schema: unknown, after: unknown): void {
    const fields = fieldsOf(fieldsOf(schema).find(({ field }) => field === 'after'))
    for (const { field, optional, default: given } of fields) {
      if (typeof field !== 'string' || optional !== true) continue
      if (given !== undefined && given !== null) this.#defaults.add(field)
      if (isObject(after) && after[field] === null) this.#nulls.add(field)
    }
  }
}

function fieldsOf(schema: unknown): readonly JsonObject[] {
  const found = isObject(schema) ? schema.fields : null
  return Array.isArray(found) ? (found as readonly unknown[]).filter(isObject) : []
}
