/**
 * Two streams of rows in the order of their keys, compared as one walks along both: no more than a part
 * of each is in memory.
 */
import type { Cell } from './column-pairs.ts'

export interface KeyedRow {
  /** Its order is the order of the keys (`model/key.ts`). */
  readonly key: string
  readonly cells: readonly Cell[]
}

export type KeyedRows = AsyncIterable<readonly KeyedRow[]>

export type Difference =
  /** The target lacks it. */
  | { readonly kind: 'missing'; readonly source: KeyedRow }
  /** The source has no such row. */
  | { readonly kind: 'extra'; readonly target: KeyedRow }
  /** The target has its key once more. */
  | { readonly kind: 'twice'; readonly target: KeyedRow }
  /** The source has its key once more: what is the key does not identify rows. */
  | { readonly kind: 'twice-in-source'; readonly source: KeyedRow }
  | {
      readonly kind: 'different'
      readonly source: KeyedRow
      readonly target: KeyedRow
      /** Places of the columns. */
      readonly columns: readonly number[]
    }

export interface RowCounts {
  readonly sourceRows: number
  readonly targetRows: number
}

/** The rows are not in the order of their keys: nothing can be said of them. */
export class OutOfOrder extends Error {
  readonly side: 'source' | 'target'

  constructor(side: 'source' | 'target') {
    super(`rows of the ${side} came out of the order of their keys`)
    this.name = 'OutOfOrder'
    this.side = side
  }
}

/**
 * Calls back for each difference, in the order of keys. `isEqualAt` compares one column. Throws OutOfOrder.
 */
export async function compareRows(
  source: KeyedRows,
  target: KeyedRows,
  isEqualAt: (column: number, source: Cell, target: Cell) => boolean,
  onDifference: (difference: Difference) => void,
): Promise<RowCounts> {
  const [left, right] = [new Walk(source, 'source'), new Walk(target, 'target')]
  try {
    // The target needs long until its first row: the source is not asked before.
    await right.ready()
    for (;;) {
      if (left.head === null) await left.ready()
      if (right.head === null) await right.ready()
      const [from, to] = [left.head, right.head]
      if (from === null && to === null) break
      if (to === null || (from !== null && from.key < to.key)) {
        onDifference({ kind: 'missing', source: from! })
      } else if (from === null || to.key < from.key) {
        onDifference({ kind: 'extra', target: to })
      } else {
        const columns = unequalColumns(from, to, isEqualAt)
        if (columns.length > 0) {
          onDifference({ kind: 'different', source: from, target: to, columns })
        }
      }
      const key = to === null || (from !== null && from.key < to.key) ? from!.key : to.key
      await left.pass(key, row => onDifference({ kind: 'twice-in-source', source: row }))
      await right.pass(key, row => onDifference({ kind: 'twice', target: row }))
    }
    return { sourceRows: left.rowCount, targetRows: right.rowCount }
  } finally {
    await Promise.all([left.close(), right.close()])
  }
}

function unequalColumns(
  from: KeyedRow,
  to: KeyedRow,
  isEqualAt: (column: number, source: Cell, target: Cell) => boolean,
): number[] {
  const columns: number[] = []
  for (let index = 0; index < from.cells.length; index += 1) {
    if (!isEqualAt(index, from.cells[index]!, to.cells[index]!)) columns.push(index)
  }
  return columns
}

/** Several streams as one: parts of a table whose keys interleave. */
export async function* mergeKeyed(streams: readonly KeyedRows[]): AsyncGenerator<KeyedRow[]> {
  const walks = streams.map(stream => new Walk(stream, 'source'))
  try {
    let part: KeyedRow[] = []
    for (;;) {
      for (const walk of walks) if (walk.head === null) await walk.ready()
      let least: Walk | null = null
      for (const walk of walks) {
        if (walk.head === null) continue
        if (least?.head == null || walk.head.key < least.head.key) least = walk
      }
      if (least?.head == null) break
      part.push(least.head)
      least.next()
      if (part.length < partRows) continue
      yield part
      part = []
    }
    if (part.length > 0) yield part
  } finally {
    await Promise.all(walks.map(walk => walk.close()))
  }
}

const partRows = 1_000

/** A stream, one row after the other. */
class Walk {
  readonly #parts: AsyncIterator<readonly KeyedRow[]>
  readonly #side: 'source' | 'target'
  #part: readonly KeyedRow[] = []
  #index = 0
  #isDone = false
  rowCount = 0

  constructor(rows: KeyedRows, side: 'source' | 'target') {
    this.#parts = rows[Symbol.asyncIterator]()
    this.#side = side
  }

  /** The row that is next; null at the end, and until `ready`. */
  get head(): KeyedRow | null {
    return this.#part[this.#index] ?? null
  }

  async ready(): Promise<void> {
    while (this.head === null && !this.#isDone) {
      const last = this.#part.at(-1)
      const next = await this.#parts.next()
      if (next.done === true) {
        this.#isDone = true
        return
      }
      if (next.value.length === 0) continue
      this.#part = next.value
      this.#index = 0
      if (last !== undefined && this.head!.key < last.key) throw new OutOfOrder(this.#side)
    }
  }

  /** Without waiting: `head` may be null afterwards, and `ready` then says what is next. */
  next(): void {
    const before = this.head
    this.#index += 1
    this.rowCount += 1
    const after = this.head
    if (after !== null && before !== null && after.key < before.key)
      throw new OutOfOrder(this.#side)
  }

  /** Leaves all rows of the key behind; what comes after the first one is told. */
  async pass(key: string, onMore: (row: KeyedRow) => void): Promise<void> {
    for (let isFirst = true; this.head?.key === key; isFirst = false) {
      if (!isFirst) onMore(this.head)
      this.next()
      if (this.head === null) await this.ready()
    }
  }

  async close(): Promise<void> {
    if (!this.#isDone) await this.#parts.return?.()
  }
}
