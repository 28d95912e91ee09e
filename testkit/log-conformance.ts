/**
 * What `log/log.ts` promises, as data: every implementation of `Log` runs each of these cases, in
 * whatever test framework it likes. A case makes topics, groups and transactional ids under names of
 * its own, so that one broker can serve all of them.
 *
 *     for (const { title, run } of logConformance) it(title, () => withLog(context => run(context)))
 */
import { groupCases } from './log-conformance/groups.ts'
import type { LogConformanceCase } from './log-conformance/log-test.ts'
import { offsetCases } from './log-conformance/offsets.ts'
import { recordCases } from './log-conformance/records.ts'
import { topicCases } from './log-conformance/topics.ts'
import { transactionCases } from './log-conformance/transactions.ts'

export type { LogConformanceCase, LogTestContext } from './log-conformance/log-test.ts'

/** Every case; an implementation runs all but those whose need it does not meet. */
export const logConformance: readonly LogConformanceCase[] = [
  ...recordCases,
  ...transactionCases,
  ...offsetCases,
  ...topicCases,
  ...groupCases,
]
