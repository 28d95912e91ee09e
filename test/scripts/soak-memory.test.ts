import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { MemoryParts } from '../../scripts/soak/memory.ts'
import { mappedMemory, memoryPartsOf } from '../../scripts/soak/memory.ts'

function mapping(range: string, rights: string, kilobytes: number, name = ''): string {
  return `${range} ${rights} 00000000 00:00 0 ${' '.repeat(20)}${name}
Size:                  9 kB
Rss:                   ${kilobytes + 1} kB
Anonymous:             ${kilobytes} kB
VmFlags: rd wr mr mw me ac sd\n`
}

it('memory is told apart by who mapped it', () => {
  const smaps = [
    mapping('00400000-00401000', 'r-xp', 0, '/usr/bin/node'),
    mapping('00401000-00402000', 'rw-p', 4, '/usr/bin/node (deleted)'),
    mapping('01000000-02000000', 'rw-p', 7, '[heap]'),
    // An arena: of its 64 MB the part that was never used is closed.
    mapping('7f0000000000-7f0000021000', 'rw-p', 100),
    mapping('7f0000021000-7f0004000000', '---p', 0),
    // The stack of a thread above its guard.
    mapping('7f0010000000-7f0010001000', '---p', 0),
    mapping('7f0010001000-7f0010801000', 'rw-p', 30),
    // What is beside something that is closed and is neither.
    mapping('7f0020000000-7f0020040000', 'rw-p', 1000),
    mapping('7f0020040000-7f0020080000', '---p', 0),
    mapping('7f0020080000-7f00200c0000', 'rw-p', 2000),
    mapping('7ffc00000000-7ffc00021000', 'rw-p', 3, '[stack]'),
  ].join('')
  expect(mappedMemory(smaps)).toEqual({
    heapBytes: 7 * 1024,
    arenaBytes: 100 * 1024,
    stackBytes: 33 * 1024,
    fileBytes: 4 * 1024,
    otherBytes: 3000 * 1024,
  })
  expect(Object.values(mappedMemory('')).every(bytes => bytes === 0)).toBe(true)
})

/** Holds what its argument says. */
const holder = `
const kept = process.argv[1] === 'buffers'
  ? Array.from({ length: 2000 }, () => Buffer.allocUnsafeSlow(20000).fill(1))
  : Array.from({ length: 4000000 }, (_, index) => ({ index }))
setInterval(() => kept.length, 1000)
`

function heldBytes({ v8 }: MemoryParts, what: string): number {
  const held = what === 'buffers' ? v8?.arrayBuffersBytes : v8?.spaces.old_space?.usedBytes
  return held ?? 0
}

it.each([
  ['buffers', 'heapBytes'],
  ['objects', 'otherBytes'],
] as const)(
  'of a process that holds 40 MB of %s it is seen where they lie',
  async (what, where) => {
    const folder = mkdtempSync(join(tmpdir(), 'forager-memory-'))
    const probe = join(import.meta.dirname, '../../scripts/soak/memory-probe.ts')
    const child = spawn(process.execPath, [`--import=${probe}`, '-e', holder, what], {
      env: { ...process.env, SOAK_MEMORY: folder },
      stdio: 'ignore',
    })
    try {
      // The probe tells again and again, and first of what was not there yet.
      await expect
        .poll(async () => heldBytes(await memoryPartsOf(child.pid!, folder), what))
        .toBeGreaterThan(40_000_000)
      const parts = await memoryPartsOf(child.pid!, folder)
      expect(parts[where]).toBeGreaterThan(40_000_000)
      expect(parts.threads).toBe(1)
      if (what === 'buffers') expect(parts.otherBytes).toBeLessThan(40_000_000)
      // Nearly all of it are V8's pages.
      else expect(Math.abs(parts.notOfV8Bytes!)).toBeLessThan(20_000_000)
    } finally {
      child.kill('SIGKILL')
      await once(child, 'close')
      rmSync(folder, { recursive: true })
    }
  },
)
