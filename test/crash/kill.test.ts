/** `npm run test:long` kills more often: test/long/kills.test.ts. */
import { it } from 'vitest'
import { killEverywhere } from './kill-everywhere.ts'

it('no kill loses, doubles or turns back a row', () => killEverywhere(1))
