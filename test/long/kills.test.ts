/** Kills of the real process, more often than test/crash has them. */
import { it } from 'vitest'
import { killEverywhere } from '../crash/kill-everywhere.ts'

it('no kill loses, doubles or turns back a row, ten times at each point', () => killEverywhere(10))
