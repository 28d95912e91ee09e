import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { inMemory } from '../../state/memory-store.ts'
import { persistent } from '../../state/persistent-store.ts'
import type { StateStore, StateStoreSupplier } from '../../state/state-store.ts'
import { stateStoreConformance } from '../../testkit/index.ts'

let root = ''
let folders = 0

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'forager-store-'))
})

afterAll(async () => {
  await rm(root, { recursive: true })
})

/** A folder that does not exist, below one that does not exist either. */
function freshFolder(): string {
  folders += 1
  return join(root, 'stores', String(folders), 'task')
}

const suppliers: readonly (readonly [string, StateStoreSupplier])[] = [
  ['in memory', inMemory()],
  ['on disk, all of it in memory', persistent()],
  ['on disk, with room for some', persistent({ memoryBytes: 2000 })],
  ['on disk, with room for nothing', persistent({ memoryBytes: 0 })],
]

describe.each(suppliers)('a store %s conforms', (_, supplier) => {
  for (const { title, run } of stateStoreConformance) {
    it(title, async () => {
      await run(supplier, freshFolder())
    })
  }
})

describe('the conformance suite', () => {
  /** A store in memory, with one thing done wrong. */
  function broken(change: (store: StateStore) => Partial<StateStore>): StateStoreSupplier {
    return {
      name: 'memory',
      open: async folder => {
        const store = await inMemory().open(folder)
        const wrong = change(store)
        return new Proxy(store, {
          get: (target, name) => {
            const found: unknown =
              name in wrong ? Reflect.get(wrong, name) : Reflect.get(target, name, target)
            return typeof found === 'function' ? found.bind(target) : found
          },
        })
      },
    }
  }

  async function failures(supplier: StateStoreSupplier): Promise<string[]> {
    const failed: string[] = []
    for (const { title, run } of stateStoreConformance) {
      await run(supplier, freshFolder()).catch(() => void failed.push(title))
    }
    return failed
  }

  it('finds each thing that a store can do wrong', async () => {
    expect(await failures(broken(() => ({})))).toEqual([])
    const wrongs: Readonly<Record<string, (store: StateStore) => Partial<StateStore>>> = {
      'forgets to clear': () => ({ clear: () => Promise.resolve() }),
      'has no order': store => ({
        entries: async function* () {
          for await (const part of store.entries()) yield [...part].reverse()
        },
      }),
      'loses entries': store => ({
        entries: async function* () {
          for await (const part of store.entries()) if (part.length > 1) yield part.slice(1)
        },
      }),
      'never sees the value before': store => ({
        update: (key, change) => store.update(key, () => change(undefined)),
      }),
      'writes before it asks': store => ({
        update: (key, change) => {
          const before = store.get(key)
          store.update(key, () => Buffer.alloc(0))
          store.update(key, () => change(before))
        },
      }),
      'has no size': () => ({ sizeBytes: 0 }),
      'cuts keys at a zero': store => ({
        update: (key, change) => store.update(key.split('\0')[0]!, change),
      }),
      'gives the buffer around': store => ({
        get: key => {
          const found = store.get(key)
          return found === undefined ? undefined : new Uint8Array(found.buffer)
        },
      }),
    }
    for (const [wrong, change] of Object.entries(wrongs)) {
      expect([wrong, (await failures(broken(change))).length]).not.toEqual([wrong, 0])
    }
  })
})

describe('a store on disk', () => {
  it('keeps in memory what fits, and makes no file before it has to', async () => {
    const folder = freshFolder()
    const store = await persistent({ memoryBytes: 10_000 }).open(folder)
    store.update('k', () => Buffer.alloc(100))
    await store.settle()
    await expect(rm(folder, { recursive: true })).rejects.toThrow('ENOENT')
    store.update('big', () => Buffer.alloc(20_000))
    await store.settle()
    expect(store.get('big')).toHaveLength(20_000)
    await store.close()
  })

  it('removes its files when it is cleared and when it is closed', async () => {
    const folder = freshFolder()
    const store = await persistent({ memoryBytes: 0 }).open(folder)
    for (const end of ['clear', 'close'] as const) {
      store.update('k', () => Buffer.alloc(100))
      await store.settle()
      await store[end]()
      await expect(rm(folder, { recursive: true })).rejects.toThrow('ENOENT')
    }
  })

  it('holds a window that is larger than the memory it may take', async () => {
    const store = await persistent({ memoryBytes: 100_000 }).open(freshFolder())
    const value = Buffer.alloc(1000, 7)
    for (let key = 0; key < 2000; key += 1) {
      store.update(`key-${key % 1500}`, () => value)
      await store.settle()
    }
    expect(store.count).toBe(1500)
    expect(store.sizeBytes).toBeGreaterThan(1_500_000)
    let read = 0
    for await (const part of store.entries()) read += part.length
    expect(read).toBe(1500)
    await store.close()
  })
})
