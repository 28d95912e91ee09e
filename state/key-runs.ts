/**
 * Keys that come in any order and go out sorted, without a long slice of work: they are sorted in short
 * runs as they come, and the runs are merged as they are read.
 *
 * Each key is added once. Chars are bytes, so the order of strings is the order of bytes.
 */

/** Sorted within a few milliseconds. */
const runLength = 4096

export class KeyRuns {
  readonly #runs: (readonly string[])[] = []
  #open: string[] = []

  add(key: string): void {
    this.#open.push(key)
    if (this.#open.length === runLength) this.#closeRun()
  }

  /** Parts of so many keys, in order. Nothing may be added meanwhile. */
  *parts(keysAtOnce: number): Generator<readonly string[]> {
    if (this.#open.length > 0) this.#closeRun()
    let part: string[] = []
    for (const key of mergeRuns(this.#runs)) {
      part.push(key)
      if (part.length < keysAtOnce) continue
      yield part
      part = []
    }
    if (part.length > 0) yield part
  }

  #closeRun(): void {
    this.#runs.push(this.#open.sort())
    this.#open = []
  }
}

/** A run that is being read: its next key is at `place`. */
interface RunCursor {
  readonly run: readonly string[]
  place: number
}

/** By a heap of the runs, the one with the least next key on top. */
function* mergeRuns(runs: readonly (readonly string[])[]): Generator<string> {
  const heap = runs.map((run): RunCursor => ({ run, place: 0 }))
  for (let index = Math.floor(heap.length / 2) - 1; index >= 0; index -= 1) sink(heap, index)
  while (heap.length > 0) {
    const top = heap[0]!
    yield top.run[top.place]!
    top.place += 1
    if (top.place === top.run.length) {
      const last = heap.pop()!
      if (heap.length === 0) return
      heap[0] = last
    }
    sink(heap, 0)
  }
}

/** Moves an entry down to where those below it are greater. */
function sink(heap: RunCursor[], from: number): void {
  for (let index = from; ; ) {
    let least = index
    for (const child of [2 * index + 1, 2 * index + 2]) {
      if (child < heap.length && nextOf(heap[child]!) < nextOf(heap[least]!)) least = child
    }
    if (least === index) return
    ;[heap[index], heap[least]] = [heap[least]!, heap[index]!]
    index = least
  }
}

function nextOf({ run, place }: RunCursor): string {
  return run[place]!
}
