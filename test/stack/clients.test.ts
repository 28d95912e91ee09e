/** The program over the client that is not the default, and needs no more than `npm ci`. */
import { inject, it } from 'vitest'
import { runWithClient } from './run-client.ts'

it('over kafkajs, tables end right when the instance dies that it shares the group with', async () => {
  await runWithClient(inject('broker'), 'kafkajs', 31)
})
