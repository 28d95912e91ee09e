import { it } from 'vitest'
import { followProgram } from './follow-program.ts'

it.each([
  ['mariadb', 11],
  ['postgres', 12],
] as const)(
  '500 statements on six tables of %s end in Hive as they do there',
  async (kind, seed) => {
    await followProgram(kind, seed, 500)
  },
)
