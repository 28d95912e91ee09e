import { it } from 'vitest'
import { followProgram } from '../../stack/hive/follow-program.ts'

it.each([
  ['mariadb', 21],
  ['postgres', 22],
] as const)(
  '5,000 statements on six tables of %s end in Hive as they do there',
  async (kind, seed) => {
    await followProgram(kind, seed, 5000)
  },
)
