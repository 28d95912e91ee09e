import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { NetChange } from '../../model/net-change.ts'
import { netChangeValues } from '../../model/net-change.ts'
import { foldChange } from '../../processors/fold-change.ts'
import { inMemory } from '../../state/memory-store.ts'
import { persistent } from '../../state/persistent-store.ts'
import type { StateStoreSupplier } from '../../state/state-store.ts'
import { netOf, users } from './samples.ts'
import { closed, frameOf, markerOf, openWindow, truncateOf } from './windows.ts'

describe('any window', () => {
  let folder = ''
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'forager-window-'))
  })
  afterAll(async () => {
    await rm(folder, { recursive: true })
  })

  type Step = { readonly table: string; readonly key: string; readonly change: NetChange } | string

  const kinds = ['upsert', 'patch', 'delete'] as const
  const step: fc.Arbitrary<Step> = fc.oneof(
    {
      weight: 20,
      arbitrary: fc
        .record({
          table: fc.constantFrom('a', 'b', 'c'),
          key: fc.constantFrom('\0', '\0\0', 'k', '\xff', '\xff\xff', ''),
          kind: fc.constantFrom(...kinds),
          name: fc.string({ maxLength: 5 }),
          size: fc.constantFrom(0, 3000),
        })
        .map(({ table, key, kind, name, size }) => {
          const value = name + 'x'.repeat(size)
          const row = kind === 'delete' ? null : [1, value, kind === 'patch' ? undefined : 'M']
          return { table, key, change: netOf({ key, kind, row }) }
        }),
    },
    { weight: 1, arbitrary: fc.constantFrom('a', 'b', 'c') },
  )

  /** The plainest fold: a map of maps. A step that is a table's name truncates it. */
  function naive(steps: readonly Step[]) {
    const tables = new Map<string, Map<string, NetChange>>()
    for (const one of steps) {
      if (typeof one === 'string') {
        tables.set(one, new Map())
        continue
      }
      const rows = tables.get(one.table) ?? new Map<string, NetChange>()
      tables.set(one.table, rows)
      const older = rows.get(one.key)
      rows.set(one.key, older === undefined ? one.change : foldChange(older, one.change))
    }
    const sorted = [...tables].sort(([a], [b]) => (a < b ? -1 : 1))
    return sorted.map(([table, rows]) => ({
      table,
      rows: [...rows]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([key, change]) => [key, change.kind, netChangeValues(change)]),
    }))
  }

  async function run(steps: readonly Step[], supplier: StateStoreSupplier, at: string) {
    const { window, store } = await openWindow(0, supplier, at)
    for (const one of steps) {
      window.add(
        typeof one === 'string' ? truncateOf(one, markerOf()) : frameOf([[one.table, one.change]]),
        0,
      )
      await store.settle()
    }
    const parts = await closed(window)
    await store.close()
    return parts
      .map(({ table, rows }) => ({ table, rows }))
      .sort((a, b) => (a.table < b.table ? -1 : 1))
  }

  it('is the plain fold of its events, in memory and on disk', async () => {
    let runs = 0
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async steps => {
        runs += 1
        const expected = naive(steps)
        expect(await run(steps, inMemory(), '')).toEqual(expected)
        // So little memory that most of it goes to disk.
        const onDisk = persistent({ memoryBytes: 2000 })
        expect(await run(steps, onDisk, join(folder, String(runs)))).toEqual(expected)
      }),
      { numRuns: 60 },
    )
  })

  it('of more rows than go out at once is whole and in order', async () => {
    const { window } = await openWindow()
    const changes = Array.from({ length: 5000 }, (_, index) => {
      const key = String.fromCharCode(index % 251, index % 7, index >> 8, index & 0xff)
      return [index % 2 === 0 ? 'a' : 'b', netOf({ key, schema: users })] as const
    })
    window.add(frameOf(changes), 0)
    const parts = await closed(window)
    expect(parts.map(({ rows }) => rows.length)).toEqual([2500, 2500])
    for (const { rows } of parts) {
      const keys = rows.map(([key]) => key)
      expect(keys).toEqual([...keys].sort())
    }
  })
})
