import { it } from 'vitest'
import { followProgram } from './follow-program.ts'

it.each([
  ['mariadb', 11],
  ['postgres', 12],
] as const)(
  '600 statements on four tables of %s end in Hive as they do there',
  async (kind, seed) => {
    await followProgram(kind, seed, 600)
  },
)
