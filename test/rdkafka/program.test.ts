/** The program with librdkafka as the reader. `node-rdkafka` must be installed for it. */
import { inject, it } from 'vitest'
import { runWithClient } from '../stack/run-client.ts'

it('over node-rdkafka, tables end right when the instance dies that it shares the group with', async () => {
  await runWithClient(inject('broker'), 'node-rdkafka', 32)
})
