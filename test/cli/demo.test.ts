import { mkdir, readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { inFolder } from './program.ts'

describe('forager demo', () => {
  it('makes its folder, and keeps what was edited in it', async () => {
    await inFolder(async program => {
      const first = await program.run(['demo', 'shop'])
      expect([first.code, first.stderr]).toEqual([0, ''])
      expect(first.stdout).toMatch(/\node:|│ ods\.user_order/)
      const config = await readFile(program.path('shop/forager.yaml'), 'utf8')
      const edited = config
        .replace('to: ods.user,', 'to: ods.person,')
        .replace(/to: ods\.user }/, 'to: ods.person }')
      expect(edited).not.toBe(config)
      await program.write('shop/forager.yaml', edited)
      await program.write('shop/own.txt', 'mine')
      const second = await program.run(['demo', 'shop'])
      expect([second.code, second.stderr]).toEqual([0, ''])
      expect(second.stdout).toMatch(/^shop\/forager\.yaml was changed: it is run as it is\./)
      expect(second.stdout).toContain('│ ods.person')
      expect(second.stdout).not.toMatch(/│ ods\.user /)
      expect(await readFile(program.path('shop/forager.yaml'), 'utf8')).toBe(edited)
      expect(await readFile(program.path('shop/own.txt'), 'utf8')).toBe('mine')
    })
  })

  it('does not touch a folder that is not its own', async () => {
    await inFolder(async program => {
      await mkdir(program.path('precious/warehouse'), { recursive: true })
      await program.write('precious/warehouse/rows', 'rows')
      await program.write('file', 'text')
      for (const [name, why] of [
        ['precious', 'precious is not empty, and the demo did not make it'],
        ['file', 'file is a file, not a folder'],
      ] as const) {
        const { code, stdout, stderr } = await program.run(['demo', name])
        expect([code, stdout]).toEqual([1, ''])
        expect(stderr).toMatch(/^error: [^\n]+\n$/)
        expect(stderr).toContain(why)
      }
      expect(await readFile(program.path('precious/warehouse/rows'), 'utf8')).toBe('rows')
      expect(await readFile(program.path('file'), 'utf8')).toBe('text')
    })
  })
})
