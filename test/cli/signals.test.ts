import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { crashConfig, crashEvents } from '../fixtures/crash-config.ts'
import { inFolder } from './program.ts'

describe('forager run that is told to stop', () => {
  it.each([
    ['SIGTERM', 143],
    ['SIGINT', 130],
  ] as const)(
    'by %s ends with %d and says how it goes on; the next run ends as an undisturbed one',
    async (signal, code) => {
      await inFolder(async program => {
        const events = await readFile(crashEvents)
        await program.write('events.jsonl.gz', events)
        await program.write('forager.yaml', crashConfig('window: { maxRows: 5000 }'))
        let isTold = false
        const stopped = await program.run(['run', 'forager.yaml', '--log', 'info'], {
          onError: (chunk, kill) => {
            if (isTold || !chunk.includes('window.closed')) return
            isTold = true
            kill(signal)
          },
        })
        expect(stopped.code).toBe(code)
        expect(stopped.stderr).toMatch(/\nStopped before the end\. Run it again to go on\.\n$/)
        const [read] = /^[\d,]+/.exec(stopped.stdout)!
        expect(Number(read.replaceAll(',', ''))).toBeLessThan(114_447)
        const again = await program.run(['run', 'forager.yaml', '--quiet'])
        expect(again).toEqual({ code: 0, stdout: '', stderr: '' })
        const [rows, ...others] = Object.values(await program.tables())
        expect(others).toEqual([])
        const ids = rows!.map(row => /^\[\["\w+",(\d+)\]/.exec(row)?.[1])
        expect(new Set(ids).size).toBe(100_000)
        expect(rows).toHaveLength(100_000)
      })
    },
  )
})
