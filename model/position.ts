/**
 * A place in the log of a source database. Positions only ever tell a repeat from something new
 * (`processors/drop-repeats.ts`); the order of changes is Kafka's.
 *
 * Two positions compare within one source incarnation: the same connector, database server and log.
 * After a fail-over or a restore the numbers start anew, and comparing them would lose rows.
 */

/** As much of a position as others are compared with. */
export interface ComparablePosition {
  /** `mariadb`, `mysql`, `postgresql`, … */
  readonly connector: string
  /** Connector's logical name, and what the operator added to it (`source.incarnation`). */
  readonly name: string
  /** The server that wrote the log (server id); null where an event does not say (snapshots). */
  readonly server: string | null
  /** The log itself: base name of the binlog, name of the PostgreSQL database. */
  readonly log: string
  /** Compared from the first to the last. A null part is unknown, and so is the comparison. */
  readonly order: readonly (number | bigint | null)[]
  /** Events of one PostgreSQL transaction compare by their last part alone. */
  readonly transaction: string | null
  /** True for a row of a snapshot. */
  readonly isSnapshot: boolean
}

export interface Position extends ComparablePosition {
  /** The transaction's global id, where the source has them. */
  readonly gtid: string | null
  /** As an operator would look it up: `mysql-bin.000001:12155:0@3307`, `34530232/34534352`. */
  readonly text: string
}

/** Whether both are places in one log. The redo threads of an Oracle cluster are one. */
export function isSameIncarnation(a: ComparablePosition, b: ComparablePosition): boolean {
  return (
    a.connector === b.connector &&
    a.name === b.name &&
    a.log === b.log &&
    (a.connector === 'oracle' || isSameServer(a, b))
  )
}

function isSameServer(a: ComparablePosition, b: ComparablePosition): boolean {
  return a.server === null || b.server === null || a.server === b.server
}

/**
 * Two changes of one row, or of a table and its row: negative, zero, positive, or undefined when they
 * cannot be compared.
 */
export function comparePositions(a: ComparablePosition, b: ComparablePosition): number | undefined {
  if (!isSameIncarnation(a, b)) return undefined
  if (a.connector === 'postgresql') return comparePostgres(a, b)
  if (a.connector === 'oracle') return compareOracle(a, b)
  return compareOrders(a, b)
}

/**
 * Any two changes that came through one partition. What orders the changes of a row need not be the
 * order in which a connector sends those of different rows.
 */
export function compareInStream(a: ComparablePosition, b: ComparablePosition): number | undefined {
  if (a.connector === 'oracle' && !a.isSnapshot && !b.isSnapshot) {
    // The threads of a cluster write their commits out at times of their own, and two transactions that
    // were committed at one SCN come one after the other, whatever the SCNs of their changes are.
    if (!isSameServer(a, b)) return undefined
    const isSameCommit = compareParts(a.order[0] ?? 0, b.order[0] ?? 0) === 0
    if (isSameCommit && a.transaction !== b.transaction) return undefined
  }
  return comparePositions(a, b)
}

/**
 * Whether both may be of one compressed transaction of MySQL's (`binlog_transaction_compression`): to
 * Debezium all statements of it are at the place of the whole, and each counts its rows anew.
 * (`BinlogStreamingChangeEventSource.handleTransactionPayload`.)
 */
export function isInOnePayload(a: ComparablePosition, b: ComparablePosition): boolean {
  return a.connector === 'mysql' && a.order[0] === b.order[0] && a.order[1] === b.order[1]
}

/** Where one has fewer parts, as a snapshot has, those decide. */
function compareOrders(a: ComparablePosition, b: ComparablePosition): number | undefined {
  for (let index = 0; index < Math.min(a.order.length, b.order.length); index += 1) {
    const left = a.order[index]
    const right = b.order[index]
    if (left === null || left === undefined || right === null || right === undefined) {
      return undefined
    }
    const order = compareParts(left, right)
    if (order !== 0) return order
  }
  return 0
}

/** A number and a bigint of one value are equal. */
function compareParts(a: number | bigint, b: number | bigint): number {
  if (a < b) return -1
  return a > b ? 1 : 0
}

/**
 * PostgreSQL: order is [LSN of the last commit, LSN of the event]. Concurrent transactions are sent
 * in commit order, so the first part decides; a snapshot knows only its own LSN; and before the
 * connector has seen a commit the first part is null.
 */
function comparePostgres(a: ComparablePosition, b: ComparablePosition): number | undefined {
  const [leftCommit, leftLsn] = a.order
  const [rightCommit, rightLsn] = b.order
  if (leftLsn == null || rightLsn == null) return undefined
  const byLsn = compareParts(leftLsn, rightLsn)
  if (a.isSnapshot || b.isSnapshot) return byLsn
  if (leftCommit == null || rightCommit == null) {
    return a.transaction !== null && a.transaction === b.transaction ? byLsn : undefined
  }
  return compareParts(leftCommit, rightCommit) || byLsn
}

/**
 * Oracle: order is [SCN of the commit, place in the transaction, SCN, RBA, SSN]; a snapshot has the SCN
 * at which it read. A row that was changed by two transactions was so by one after the other. Before
 * there were places in transactions, the SCN of the commit was that of the thread's last one before:
 * good for an order within the thread alone.
 */
function compareOracle(a: ComparablePosition, b: ComparablePosition): number | undefined {
  if (a.order.length === 1 || b.order.length === 1) return compareOrders(a, b)
  const [leftCommit, leftPlace, ...left] = a.order
  const [rightCommit, rightPlace, ...right] = b.order
  const hasPlaces = leftPlace != null && rightPlace != null
  if (leftCommit == null || rightCommit == null) return undefined
  if (!hasPlaces && !isSameServer(a, b)) return undefined
  const byCommit = compareParts(leftCommit, rightCommit)
  if (byCommit !== 0) return byCommit
  if (hasPlaces && a.transaction === b.transaction) return compareParts(leftPlace, rightPlace)
  const byScn = compareOrders({ ...a, order: left }, { ...b, order: right })
  return byScn === 0 && a.transaction !== b.transaction ? undefined : byScn
}

/** A truncate that is known by its place in the source's log. */
export interface TruncatePoint {
  readonly position: Position
  /** By the source's clock, milliseconds since the epoch. */
  readonly sourceMs: number
}

/** The newer of two truncates of a table; one at or below the last is a repeat. */
export function newerTruncate(known: TruncatePoint, given: TruncatePoint): TruncatePoint {
  const comparison = comparePositions(given.position, known.position)
  return (comparison ?? given.sourceMs - known.sourceMs) > 0 ? given : known
}

/** What the operator added to the connector's name; see `name`. */
function incarnationOf({ name }: Position): string {
  const at = name.indexOf('@')
  return at < 0 ? '' : name.slice(at + 1)
}

/** What is kept of a position beside a row: its text, and the incarnation where one is configured. */
export function markOf(position: Position): string {
  const incarnation = incarnationOf(position)
  return incarnation === '' ? position.text : `${position.text}#${incarnation}`
}

/**
 * Whether a row was changed last before its table was truncated; `position` is what `markOf` gives. A
 * truncate holds its table alone, so all changes of the table are ordered against it by their place in
 * the log, whatever transaction they belong to. The clock decides only where places do not compare: it
 * tells when a statement began, and a truncate may have waited for rows that are stamped later.
 */
export function isBeforeTruncate(
  row: { readonly position: string; readonly sourceMs: number },
  truncate: TruncatePoint,
): boolean {
  return isAtOrBelow(row.position, truncate.position) ?? row.sourceMs <= truncate.sourceMs
}

/** Undefined when the two are places in different logs. */
function isAtOrBelow(mark: string, truncate: Position): boolean | undefined {
  const [text = '', ...incarnation] = mark.split('#')
  if (incarnation.join('#') !== incarnationOf(truncate)) return undefined
  switch (truncate.connector) {
    case 'postgresql':
      return isNumberAtOrBelow(/^(?:\d+\/)?(\d+)$/.exec(text), truncate.order[1])
    case 'oracle':
      return truncate.log === 'scn'
        ? isNumberAtOrBelow(/^(\d+)(?:\/|$)/.exec(text), truncate.order[0])
        : isLcrAtOrBelow(text, truncate)
    default:
      return isPlaceAtOrBelow(text, truncate)
  }
}

function isNumberAtOrBelow(
  match: RegExpExecArray | null,
  limit: number | bigint | null | undefined,
): boolean | undefined {
  return match === null ? undefined : BigInt(match[1]!) <= BigInt(limit ?? 0)
}

function isLcrAtOrBelow(text: string, { order, log }: Position): boolean | undefined {
  const digits = /^lcr:([\da-f]+)$/i.exec(text)?.[1]
  if (digits === undefined || log !== `lcr${digits.length}`) return undefined
  return BigInt(`0x${digits}`) <= BigInt(order[0] ?? 0)
}

function isPlaceAtOrBelow(text: string, truncate: Position): boolean | undefined {
  const match = /^(.+)\.(\d+):(\d+):(\d+)(?:@(\d+))?$/.exec(text)
  if (match === null) return undefined
  const [, log, file, place, row, server] = match
  const isSame = server === undefined || truncate.server === null || server === truncate.server
  if (log !== truncate.log || !isSame) return undefined
  for (const [index, part] of [file, place, row].entries()) {
    const own = BigInt(part!)
    const other = BigInt(truncate.order[index] ?? 0)
    if (own !== other) return own < other
  }
  return true
}
