import { expect, it } from 'vitest'
import { runWindow } from './large-window.ts'

// Two million rows under 32 MiB are in `test/long/large-window.test.ts`.
it('a window larger than its memory spills: memory stays low, and the files are the same', async () => {
  const rows = 200_000
  const whole = await runWindow({ store: 'memory', rows, memoryMiB: 0 })
  const spilled = await runWindow({ store: 'persistent', rows, memoryMiB: 8 })
  expect(whole.rows).toBe(rows)
  expect(spilled.rows).toBe(rows)
  expect(spilled.sha256).toBe(whole.sha256)
  expect(spilled.addedMiB).toBeLessThan(100)
}, 300_000)
