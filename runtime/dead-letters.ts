/** The dead letters of an application, as its log has them. */
import type { Log } from '../log/log.ts'
import type { DeadLetter } from '../model/dead-letter.ts'
import { parseDeadLetter } from '../model/dead-letter.ts'
import { deadLettersTopic } from '../topology/internal-topics.ts'
import { readAll } from './task.ts'

/** In the order in which they came; none when the application never kept any. */
export async function* readDeadLetters(
  log: Log,
  applicationId: string,
): AsyncGenerator<DeadLetter> {
  const topic = deadLettersTopic(applicationId)
  if (!(await log.topics()).some(({ name }) => name === topic)) return
  for await (const record of readAll(log, { topic, partition: 0 })) yield parseDeadLetter(record)
}
