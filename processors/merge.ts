/**
 * What a table's merger does with batches that wait: which of them one apply can cover, and their net
 * changes as one stream, folded by the same rule as in a window. Batches of different tasks have
 * different keys; successive batches of one task may share them.
 */
import { assert, WarehouseError } from '../model/errors.ts'
import type { NetChange } from '../model/net-change.ts'
import type { TruncatePoint } from '../model/position.ts'
import { newerTruncate } from '../model/position.ts'
import type { SchemaChangeMode, SchemaPolicy } from '../model/schema-change.ts'
import { isFollowed } from '../model/schema-change.ts'
import type { StagedBatch, TruncateMarker } from '../model/staged-batch.ts'
import type { TableSchema } from '../model/table-schema.ts'
import { canUnite, unionSchema } from '../model/table-schema.ts'
import { hasHalves, untornCount } from './changed-keys.ts'
import { foldChange } from './fold-change.ts'

/**
 * `all`: empty the table first; rows staged before are not written at all. A point of the source's log:
 * rows whose last change came before it go, whenever they were staged.
 */
export type Truncation = 'none' | 'all' | TruncatePoint

/** A staged batch and its place in the staged topic. */
export interface WaitingBatch {
  readonly offset: number
  readonly batch: StagedBatch
}

/** What one apply covers. */
export interface ApplyPlan {
  readonly truncate: Truncation
  /** The table is emptied for a truncate that is known by its point: only what is newer is written. */
  readonly point?: TruncatePoint
  /** Whose files are read, in staged order. */
  readonly sources: readonly WaitingBatch[]
  /** All that the apply accounts for, in staged order. */
  readonly covered: readonly WaitingBatch[]
}

/** Staged files that one apply reads; what is beyond waits for the next one. */
export const maxApplyBytes = 64 * 1024 * 1024

/** Whether the other half of a changed key of the batch is waited for. */
export type Waits = (one: WaitingBatch) => boolean

const never: Waits = () => false
const always: Waits = () => true

/**
 * Chooses the first batches that can be applied together; null when a truncate waits for the tasks
 * that have not passed it yet, or half of a changed key for the other one. An ordered truncate empties the table as of one point of the source's log, and
 * that point is reached when every task of the hop has passed its marker: then what was staged before
 * the markers is gone with the table, and what follows them is applied in the same step, so that no
 * reader sees the table half empty.
 */
export function planApply(
  waiting: readonly WaitingBatch[],
  waits: Waits = never,
  maxBytes = maxApplyBytes,
): ApplyPlan | null {
  const firstTruncate = waiting.findIndex(({ batch }) => batch.truncate?.isOrdered === true)
  const plain = firstTruncate < 0 ? waiting : waiting.slice(0, firstTruncate)
  if (plain.length > 0) {
    // The other half of a changed key may be gone with the truncate: then so is this one, at the end as well.
    const isAligned = firstTruncate >= 0 && hasHalves(plain) && alignTruncate(waiting) !== null
    const covered = takeWhole(plain, maxBytes, isAligned ? always : waits)
    if (covered.length === 0) return firstTruncate < 0 ? null : planTruncate(waiting, waits)
    return { truncate: newestPoint(covered), sources: covered, covered }
  }
  return planTruncate(waiting, waits)
}

function planTruncate(waiting: readonly WaitingBatch[], waits: Waits): ApplyPlan | null {
  const aligned = alignTruncate(waiting)
  const whole = aligned === null ? null : withHalves(aligned, waiting, waits)
  return whole === null ? null : { truncate: 'all', ...whole }
}

/** Whether there is such a plan, without making it. */
export function canPlan(waiting: readonly WaitingBatch[], waits: Waits = never): boolean {
  const [first] = waiting
  if (first === undefined) return false
  if (hasHalves(waiting)) return planApply(waiting, waits) !== null
  return first.batch.truncate?.isOrdered !== true || alignTruncate(waiting) !== null
}

/** Whether a table that is truncated stays as it is. */
export function keepsRows(mode: SchemaChangeMode): boolean {
  return mode === 'lenient' || mode === 'ignore'
}

/**
 * The plan as the table is to follow truncates and drops; one that was staged under another mode may be in it. Of
 * a table that is not there (`isThere`), and that the plan does not make, nothing is refused. Throws WarehouseError
 * `schema-change-refused`.
 */
export function planUnder(policy: SchemaPolicy, plan: ApplyPlan, isThere: boolean): ApplyPlan {
  const { truncate, covered } = plan
  const isOfTable = isThere || covered.some(({ batch }) => batch.schema.columns.length > 0)
  for (const { batch } of isOfTable ? covered : []) {
    if (batch.truncate !== null) refuse(policy, batch.truncate)
  }
  const isKept = ({ batch }: WaitingBatch): boolean =>
    batch.truncate !== null && !isFollowed(modeOf(policy, batch.truncate))
  if (truncate === 'none' || !covered.some(isKept)) return plan
  if (truncate === 'all') {
    return !isFollowed(policy.truncate) ? { truncate: 'none', sources: covered, covered } : plan
  }
  return { ...plan, truncate: newestPoint(covered.filter(one => !isKept(one))) }
}

function modeOf(policy: SchemaPolicy, { isDrop }: TruncateMarker): SchemaChangeMode {
  return policy[isDrop === true ? 'drop-table' : 'truncate']
}

/** WarehouseError `schema-change-refused` where the policy says that the table is not to go on. */
export function refuse(policy: SchemaPolicy, marker: TruncateMarker): void {
  const mode = modeOf(policy, marker)
  if (marker.isDrop !== true) {
    if (mode !== 'exception') return
    throw new WarehouseError(
      'schema-change-refused',
      'the source truncated the table, and schemaChanges.truncate is "exception": set "evolve" to empty the ' +
        'target, or "lenient" to leave its rows, then resume the table',
    )
  }
  const otherwise = 'set "lenient" to leave the rows of the target, then resume the table'
  if (mode === 'exception') {
    throw new WarehouseError(
      'schema-change-refused',
      `the source dropped the table, and schemaChanges.drop-table is "exception": ${otherwise}, or "evolve" to ` +
        'empty it first',
    )
  }
  if (!isFollowed(mode) || marker.point !== null) return
  throw new WarehouseError(
    'schema-change-refused',
    'the source dropped the table and does not say where in its log, so that rows of before and after cannot be ' +
      `told apart: ${otherwise}`,
  )
}

/** Of truncates that are known by their point only, the last one counts for all. */
function newestPoint(covered: readonly WaitingBatch[]): Truncation {
  return covered.reduce<Truncation>((newest, { batch }) => {
    const point = batch.truncate?.point ?? null
    if (point === null) return newest
    return typeof newest === 'string' ? point : newerTruncate(newest, point)
  }, 'none')
}

/** Changed keys are not torn. What cannot be applied together with the others is not waited for. */
function takeWhole(
  plain: readonly WaitingBatch[],
  maxBytes: number,
  waits: Waits,
): readonly WaitingBatch[] {
  const covered = takeBytes(plain, maxBytes)
  if (!hasHalves(plain)) return covered
  const fitting = takeBytes(plain, Infinity)
  const isLast = fitting.length === plain.length
  return fitting.slice(0, untornCount(fitting, covered.length, isLast ? waits : never))
}

function takeBytes(waiting: readonly WaitingBatch[], maxBytes: number): readonly WaitingBatch[] {
  let bytes = 0
  let schema: TableSchema = waiting[0]!.batch.schema
  const end = waiting.findIndex(({ batch }, index) => {
    bytes += batch.files.reduce((sum, file) => sum + file.sizeBytes, 0)
    // What does not fit to the ones before must not hold them back.
    if (index > 0 && (bytes > maxBytes || !canUnite(schema, batch.schema))) return true
    schema = unionSchema(schema, batch.schema)
    return false
  })
  // A list of its own: while the plan is carried out, others come to wait.
  return end < 0 ? [...waiting] : waiting.slice(0, end)
}

/** The shortest head of the batches in which every task has passed the same marker, as its newest. */
function alignTruncate(waiting: readonly WaitingBatch[]): Omit<ApplyPlan, 'truncate'> | null {
  const passed = new Map<string, TruncateMarker>()
  for (const [index, { batch }] of waiting.entries()) {
    const marker = batch.truncate
    if (marker?.isOrdered !== true) continue
    passed.set(batch.task, marker)
    const arrived = [...passed.values()].filter(other => isSameMarker(marker, other)).length
    if (arrived < marker.partitions) continue
    const covered = waiting.slice(0, index + 1)
    return { covered, sources: afterMarkers(covered, marker) }
  }
  return null
}

/** With batches behind it that have the other halves of changed keys; null: one is waited for. */
function withHalves(
  { covered, sources }: Omit<ApplyPlan, 'truncate'>,
  waiting: readonly WaitingBatch[],
  waits: Waits,
): Omit<ApplyPlan, 'truncate'> | null {
  const behind = waiting.slice(covered.length)
  const end = behind.findIndex(({ batch }) => batch.truncate?.isOrdered === true)
  const all = takeBytes([...sources, ...(end < 0 ? behind : behind.slice(0, end))], Infinity)
  // They do not fit beside each other: the table is told so when they are read, as without halves.
  if (all.length < sources.length) return { covered, sources }
  const isLast = all.length === sources.length + behind.length
  const count = untornCount(all, sources.length, isLast ? waits : never)
  if (count < sources.length) return null
  const more = all.slice(sources.length, count)
  return { covered: [...covered, ...more], sources: [...sources, ...more] }
}

/** Of each task: the batch with the marker, and those behind it. */
function afterMarkers(
  covered: readonly WaitingBatch[],
  marker: TruncateMarker,
): readonly WaitingBatch[] {
  const behind = new Set<string>()
  return covered.filter(({ batch }) => {
    if (isSameMarker(marker, batch.truncate)) behind.add(batch.task)
    return behind.has(batch.task)
  })
}

/** An offset alone means nothing: a table may come through several topics. */
function isSameMarker(a: TruncateMarker, b: TruncateMarker | null): boolean {
  return a.topic === b?.topic && a.partition === b.partition && a.offset === b.offset
}

/** Of a batch that was staged for a table divided otherwise: where it says a row was means nothing now. */
export async function* withoutLeaves(
  stream: AsyncIterable<readonly NetChange[]>,
): AsyncGenerator<readonly NetChange[]> {
  for await (const part of stream) {
    yield part.map((change): NetChange => ({ ...change, leaves: 'unknown' }))
  }
}

const changesAtOnce = 1000

/**
 * One stream of net changes, one a key, in key order, from streams that each are so. Where several
 * have a key, the later stream is the newer.
 */
export async function* foldStreams(
  streams: readonly AsyncIterable<readonly NetChange[]>[],
): AsyncGenerator<readonly NetChange[]> {
  const only = streams.length === 1 ? streams[0] : undefined
  if (only !== undefined) {
    yield* only
    return
  }
  const cursors = await Promise.all(streams.map(stream => Cursor.open(stream)))
  let folded: NetChange[] = []
  for (;;) {
    const key = leastKey(cursors)
    if (key === null) break
    let change: NetChange | null = null
    for (let index = 0; index < cursors.length; index += 1) {
      const cursor = cursors[index]!
      if (cursor.current?.key !== key) continue
      change = change === null ? cursor.current : foldChange(change, cursor.current)
      if (cursor.advance()) await cursor.fill()
    }
    folded.push(change!)
    if (folded.length >= changesAtOnce) {
      yield folded
      folded = []
    }
  }
  if (folded.length > 0) yield folded
}

function leastKey(cursors: readonly Cursor[]): string | null {
  let least: string | null = null
  // An iterator for each row would be the most of what is collected here.
  for (let index = 0; index < cursors.length; index += 1) {
    const { current } = cursors[index]!
    if (current !== null && (least === null || current.key < least)) least = current.key
  }
  return least
}

class Cursor {
  readonly #stream: AsyncIterator<readonly NetChange[]>
  #batch: readonly NetChange[] = []
  #index = 0
  #lastKey: string | null = null

  private constructor(stream: AsyncIterator<readonly NetChange[]>) {
    this.#stream = stream
  }

  static async open(stream: AsyncIterable<readonly NetChange[]>): Promise<Cursor> {
    const cursor = new Cursor(stream[Symbol.asyncIterator]())
    await cursor.fill()
    return cursor
  }

  get current(): NetChange | null {
    return this.#batch[this.#index] ?? null
  }

  /** True when the next batch has to be fetched. */
  advance(): boolean {
    this.#lastKey = this.current!.key
    this.#index += 1
    this.#checkOrder()
    return this.current === null
  }

  async fill(): Promise<void> {
    do {
      const next = await this.#stream.next()
      this.#batch = next.done === true ? [] : next.value
      this.#index = 0
      if (next.done === true) return
    } while (this.#batch.length === 0)
    this.#checkOrder()
  }

  #checkOrder(): void {
    const { current } = this
    const isBehind = current === null || this.#lastKey === null || current.key > this.#lastKey
    assert(isBehind, 'a staged batch is not in key order')
  }
}
