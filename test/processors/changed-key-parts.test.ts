import { describe, expect, it } from 'vitest'
import type { ChangedKey } from '../../model/changed-key.ts'
import type { NetChange } from '../../model/net-change.ts'
import type { OpenWindow } from '../../processors/compact.ts'
import { schemaOf } from '../model/samples.ts'
import { netOf } from './samples.ts'
import { closed, markerOf, openWindow, truncateOf } from './windows.ts'

describe('a half of a changed key', () => {
  const half = { half: 'old', oldKey: '1', newKey: '2' } as const
  const target = { table: 'a', partitionBy: null }
  const add = (window: OpenWindow, change: NetChange, changedKey?: ChangedKey): void => {
    window.addChange({ target, change, offset: 0, ...(changedKey && { changedKey }) }, 0)
  }

  it('begins another part where its row has changes: what the row was before can be read by itself', async () => {
    const { window } = await openWindow()
    add(window, netOf({ key: '1' }))
    add(window, netOf({ key: '1', kind: 'delete' }), half)
    add(window, netOf({ key: '3', kind: 'delete' }), { ...half, oldKey: '3' })
    const parts = await Array.fromAsync(window.close(), async part => ({
      keys: part.changedKeys.map(({ oldKey }) => oldKey),
      kinds: (await Array.fromAsync(part.changes)).flat().map(({ kind }) => kind),
    }))
    expect(parts).toEqual([
      { keys: [], kinds: ['upsert'] },
      { keys: ['1', '3'], kinds: ['delete', 'delete'] },
    ])
  })

  it('that is partial is a row of its own: columns that only others of the window have are not left open', async () => {
    const { window } = await openWindow()
    const wider = schemaOf({ id: 'int', name: 'string', sex: 'string', extra: 'string' })
    add(window, netOf({ key: '1', schema: wider, row: [1, 'a', 'M', 'x'] }))
    const moved = netOf({ key: '2', kind: 'patch', row: [2, undefined, 'F'] })
    add(window, moved, { half: 'new', oldKey: '9', newKey: '2', isPartial: true })
    expect((await closed(window))[0]!.rows).toEqual([
      ['1', 'upsert', [1, 'a', 'M', 'x']],
      ['2', 'patch', [2, undefined, 'F', null]],
    ])
  })

  it('is told of in few enough to fit into a record', async () => {
    const { window } = await openWindow()
    for (let id = 0; id < 300; id += 1) {
      const oldKey = `${'k'.repeat(400)}${id}`
      add(window, netOf({ key: oldKey, kind: 'delete' }), { ...half, oldKey })
    }
    const parts = await Array.fromAsync(window.close(), ({ changedKeys }) => changedKeys.length)
    expect(parts.length).toBe(2)
    expect(parts[0]! + parts[1]!).toBe(300)
  })

  it('goes with its change when the table is truncated', async () => {
    const { window } = await openWindow()
    add(window, netOf({ key: '1', kind: 'delete' }), half)
    window.add(truncateOf('a', markerOf()), 0)
    const [part] = await Array.fromAsync(window.close())
    expect(part!.changedKeys).toEqual([])
  })
})
