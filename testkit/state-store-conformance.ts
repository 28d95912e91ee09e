/**
 * What every state store does, as data: a list of cases that a test framework runs one by one. They
 * use assertions of Node alone, so that they run in any.
 *
 *     for (const { title, run } of stateStoreConformance) {
 *       test(title, async () => await run(myStore(), await freshFolder()))
 *     }
 */
import { deepEqual, equal, ok, throws } from 'node:assert/strict'
import { seededRandom } from '../runtime/random.ts'
import type { StateStore, StateStoreSupplier } from '../state/state-store.ts'

export interface StateStoreConformanceCase {
  readonly title: string
  /** Rejects when the store does not conform. `folder` is the case's own; it need not exist. */
  readonly run: (supplier: StateStoreSupplier, folder: string) => Promise<void>
}

type Entry = readonly [key: string, value: string]

const bytes = (text: string): Uint8Array => Buffer.from(text, 'latin1')

function put(store: StateStore, key: string, value: string): void {
  store.update(key, () => bytes(value))
}

function read(store: StateStore, key: string): string | undefined {
  const found = store.get(key)
  return found === undefined ? undefined : Buffer.from(found).toString('latin1')
}

async function entriesOf(store: StateStore): Promise<Entry[]> {
  const all: Entry[] = []
  for await (const part of store.entries()) {
    ok(part.length > 0, 'a part of the entries is empty')
    for (const [key, value] of part) all.push([key, Buffer.from(value).toString('latin1')])
  }
  return all
}

/** Says the first difference: a list of thousands would hide it. */
async function holds(store: StateStore, expected: readonly Entry[]): Promise<void> {
  const found = await entriesOf(store)
  for (const [index, entry] of expected.entries()) {
    deepEqual(found[index], entry, `entry ${index} of ${expected.length} is another one`)
  }
  equal(found.length, expected.length, 'there are more entries than were written')
}

/** Chars are bytes, so that the order of strings is the order of bytes. */
function sorted(entries: Iterable<Entry>): Entry[] {
  return [...entries].sort(([a], [b]) => (a < b ? -1 : 1))
}

/** A case that needs one store, which is closed at its end. */
function withStore(
  title: string,
  body: (store: StateStore) => void | Promise<void>,
): StateStoreConformanceCase {
  return {
    title,
    run: async (supplier, folder) => {
      const store = await supplier.open(folder)
      try {
        await body(store)
      } finally {
        await store.close()
      }
    },
  }
}

const contents: readonly StateStoreConformanceCase[] = [
  withStore('a new store is empty', async store => {
    equal(store.count, 0)
    equal(store.sizeBytes, 0)
    equal(store.get('k'), undefined)
    await holds(store, [])
    await store.settle()
    await holds(store, [])
  }),

  withStore('an update sees the value before, wherever it is kept', async store => {
    const seen: (string | undefined)[] = []
    for (const value of ['first', 'second', 'third']) {
      store.update('k', before => {
        seen.push(before === undefined ? undefined : Buffer.from(before).toString())
        return bytes(value)
      })
      equal(read(store, 'k'), value)
      await store.settle()
      equal(read(store, 'k'), value)
    }
    deepEqual(seen, [undefined, 'first', 'second'])
    equal(store.count, 1)
  }),

  withStore('an update that throws changes nothing', async store => {
    put(store, 'k', 'kept')
    for (const settles of [false, true]) {
      if (settles) await store.settle()
      const { count, sizeBytes } = store
      for (const key of ['k', 'new']) {
        throws(
          () =>
            store.update(key, () => {
              throw new RangeError('no')
            }),
          RangeError,
        )
      }
      equal(read(store, 'k'), 'kept')
      equal(store.get('new'), undefined)
      deepEqual([store.count, store.sizeBytes], [count, sizeBytes])
    }
    await holds(store, [['k', 'kept']])
  }),

  withStore('a value without bytes is a value', async store => {
    put(store, 'k', '')
    await store.settle()
    equal(read(store, 'k'), '')
    store.update('k', before => {
      equal(before?.length, 0)
      return bytes('')
    })
    equal(store.count, 1)
    await holds(store, [['k', '']])
  }),

  withStore(
    'every byte can stand in a key, and keys that begin alike are different',
    async store => {
      const keys = [
        '\0',
        '\0\0',
        '\0\xff',
        'k',
        'k\0',
        'kk',
        '\x7f',
        '\x80',
        '\xff',
        '\xff\0',
        '\xff\xff',
      ]
      for (const [index, key] of keys.entries()) put(store, key, String(index))
      await store.settle()
      for (const [index, key] of keys.entries()) equal(read(store, key), String(index))
      equal(store.count, keys.length)
      const expected = sorted(keys.map((key, index) => [key, String(index)]))
      await holds(store, expected)
    },
  ),

  withStore(
    'a value is only the bytes that were given, not the buffer around them',
    async store => {
      const around = Buffer.from('xxvaluexx')
      store.update('k', () => new Uint8Array(around.buffer, around.byteOffset + 2, 5))
      equal(read(store, 'k'), 'value')
      await store.settle()
      equal(read(store, 'k'), 'value')
      await holds(store, [['k', 'value']])
    },
  ),

  withStore('a large value comes back whole', async store => {
    const large = 'x'.repeat(3_000_000)
    put(store, 'k', large)
    await store.settle()
    ok(read(store, 'k') === large, 'the large value is another one')
  }),
]

const measures: readonly StateStoreConformanceCase[] = [
  withStore('it counts keys, not updates', async store => {
    for (let round = 0; round < 3; round += 1) {
      for (let key = 0; key < 10; key += 1) put(store, `k${key}`, `${round}`)
      equal(store.count, 10)
      await store.settle()
      equal(store.count, 10)
    }
  }),

  withStore(
    'its size follows keys and values, and falls when a value becomes smaller',
    async store => {
      put(store, 'key', 'x'.repeat(1000))
      const one = store.sizeBytes
      ok(one >= 1003, `${one} bytes for a key of 3 and a value of 1000`)
      put(store, 'other', 'x'.repeat(500))
      ok(store.sizeBytes >= one + 505, 'a second entry does not count')
      await store.settle()
      const both = store.sizeBytes
      put(store, 'key', 'x')
      equal(store.sizeBytes, both - 999)
      await store.settle()
      equal(store.sizeBytes, both - 999)
    },
  ),

  withStore('what is deleted is gone, wherever it was, and can be written again', async store => {
    for (const settles of [false, true]) {
      const { count, sizeBytes } = store
      put(store, 'a', 'of a')
      put(store, 'b', 'of b')
      if (settles) await store.settle()
      store.delete('a')
      equal(store.get('a'), undefined)
      await holds(store, [['b', 'of b']])
      store.delete('a')
      store.delete('never there')
      if (settles) await store.settle()
      equal(store.get('a'), undefined)
      await holds(store, [['b', 'of b']])
      equal(store.count, count + 1)
      store.update('a', before => {
        equal(before, undefined)
        return bytes('again')
      })
      equal(read(store, 'a'), 'again')
      await holds(store, [
        ['a', 'again'],
        ['b', 'of b'],
      ])
      store.delete('a')
      store.delete('b')
      deepEqual([store.count, store.sizeBytes], [count, sizeBytes])
      await holds(store, [])
    }
  }),

  withStore('it is empty after it was cleared, and can be used again', async store => {
    for (const settles of [false, true]) {
      for (let key = 0; key < 100; key += 1) put(store, `k${key}`, 'old')
      if (settles) await store.settle()
      await store.clear()
      deepEqual([store.count, store.sizeBytes], [0, 0])
      equal(store.get('k1'), undefined)
      await holds(store, [])
      put(store, 'k1', 'new')
      await store.settle()
      await holds(store, [['k1', 'new']])
      equal(store.count, 1)
      await store.clear()
    }
  }),
]

const order: readonly StateStoreConformanceCase[] = [
  withStore(
    'entries come in the order of their bytes, each once, with the last value',
    async store => {
      const random = seededRandom(7)
      const model = new Map<string, string>()
      for (let step = 0; step < 5000; step += 1) {
        const length = 1 + Math.floor(random.next() * 3)
        const chars = Array.from({ length }, () => Math.floor(random.next() * 256))
        const key = String.fromCharCode(...chars)
        const value = `${step}`
        if (random.next() < 0.2) {
          store.delete(key)
          model.delete(key)
          continue
        }
        store.update(key, before => {
          const expected = model.get(key)
          equal(before === undefined ? undefined : Buffer.from(before).toString(), expected)
          return bytes(value)
        })
        model.set(key, value)
        if (step % 100 === 0) await store.settle()
      }
      equal(store.count, model.size)
      await holds(store, sorted(model))
      // A second reading, and one after a change, see what is there.
      put(store, '\0', 'changed')
      model.set('\0', 'changed')
      await holds(store, sorted(model))
    },
  ),

  withStore('entries can be left in the middle, and the store goes on', async store => {
    for (let key = 0; key < 3000; key += 1) put(store, String(key).padStart(4, '0'), 'x')
    await store.settle()
    for await (const part of store.entries()) {
      equal(part[0]?.[0], '0000')
      break
    }
    put(store, '0000', 'y')
    const entries = await entriesOf(store)
    equal(entries.length, 3000)
    deepEqual(entries[0], ['0000', 'y'])
    await store.clear()
    await holds(store, [])
  }),
]

const folders: readonly StateStoreConformanceCase[] = [
  {
    title: 'what an earlier process left in the folder is gone',
    run: async (supplier, folder) => {
      const first = await supplier.open(folder)
      for (let key = 0; key < 1000; key += 1) put(first, `k${key}`, 'left behind')
      await first.settle()
      await first.close()
      const second = await supplier.open(folder)
      equal(second.count, 0)
      equal(second.get('k1'), undefined)
      put(second, 'k2', 'new')
      await second.settle()
      await holds(second, [['k2', 'new']])
      await second.close()
    },
  },
  {
    title: 'stores of different folders share nothing',
    run: async (supplier, folder) => {
      const [a, b] = await Promise.all([supplier.open(`${folder}-a`), supplier.open(`${folder}-b`)])
      put(a, 'k', 'of a')
      put(b, 'k', 'of b')
      await Promise.all([a.settle(), b.settle()])
      await a.clear()
      equal(a.get('k'), undefined)
      await holds(b, [['k', 'of b']])
      await Promise.all([a.close(), b.close()])
    },
  },
]

export const stateStoreConformance: readonly StateStoreConformanceCase[] = [
  ...contents,
  ...measures,
  ...order,
  ...folders,
]
