import { describe, expect, it } from 'vitest'
import {
  failed,
  HiveRefusal,
  mayHaveCommitted,
  refusalText,
  shortMessage,
  statementHint,
} from '../../../sinks/hive/hive-errors.ts'

/** As HiveServer2 4.0.1 said them; the stack traces are longer there. */
const recorded = {
  semantic:
    "Error while compiling statement: FAILED: SemanticException [Error 10001]: Line 1:14 Table not found 'nope'",
  parse:
    "Error while compiling statement: FAILED: ParseException line 1:0 cannot recognize input near 'selec' '*' 'from'",
  ddl: 'Error while compiling statement: FAILED: Execution Error, return code 40000 from org.apache.hadoop.hive.ql.ddl.DDLTask. AlreadyExistsException(message:Table hive.d.t already exists)',
  set: 'Error while processing statement: hive configuration hive.nope does not exists.',
  bare: 'Error while compiling statement: FAILED: Execution Error, return code 1 from org.apache.hadoop.hive.ql.exec.tez.TezTask.',
  task: `Error while compiling statement: FAILED: Execution Error, return code 2 from org.apache.hadoop.hive.ql.exec.tez.TezTask. Vertex failed, vertexName=Reducer 4, vertexId=vertex_1795295241838_0001_2_02, diagnostics=[Task failed, taskId=task_1795295241838_0001_2_02_000000, diagnostics=[TaskAttempt 0 failed, info=[Error: Node: vm/127.0.0.1 : Error while running task ( failure ) : attempt_1795295241838_0001_2_02_000000_0:java.lang.RuntimeException: java.lang.RuntimeException: Hive Runtime Error while closing operators
\tat org.apache.hadoop.hive.ql.exec.tez.TezProcessor.initializeAndRunProcessor(TezProcessor.java:348)
\tat java.base/java.lang.Thread.run(Thread.java:840)
Caused by: java.lang.RuntimeException: Hive Runtime Error while closing operators
\tat org.apache.hadoop.hive.ql.exec.tez.ReduceRecordProcessor.close(ReduceRecordProcessor.java:406)
\t... 16 more
Caused by: java.lang.RuntimeException: Cardinality Violation in Merge statement: [6, 536870914, 2]
\tat org.apache.hadoop.hive.ql.udf.generic.GenericUDFCardinalityViolation.evaluate(GenericUDFCardinalityViolation.java:56)
\t... 31 more
]], Vertex did not succeed due to OWN_TASK_FAILURE, failedTasks:1 killedTasks:0`,
}

describe('a message of Hive', () => {
  it.each([
    ['semantic', "SemanticException [Error 10001]: Line 1:14 Table not found 'nope'"],
    ['parse', "ParseException line 1:0 cannot recognize input near 'selec' '*' 'from'"],
    [
      'ddl',
      'Execution Error in DDLTask. AlreadyExistsException(message:Table hive.d.t already exists)',
    ],
    ['set', 'hive configuration hive.nope does not exists.'],
    ['bare', 'Execution Error in TezTask.'],
    [
      'task',
      'Execution Error in TezTask. Vertex failed, vertexName=Reducer 4: ' +
        'java.lang.RuntimeException: Cardinality Violation in Merge statement: [6, 536870914, 2]',
    ],
  ] as const)('keeps of %s what an operator needs, in one line', (name, short) => {
    expect(shortMessage(recorded[name])).toBe(short)
  })

  it('has an end, however long it is', () => {
    const short = shortMessage(`FAILED: ${'x'.repeat(5000)}`)
    expect(short).toHaveLength(600)
    expect(short.endsWith('x…')).toBe(true)
  })

  it('is followed by its codes, as far as there are any', () => {
    expect(refusalText(new HiveRefusal('no', '42000', 10072))).toBe(
      'no (SQLSTATE 42000, error 10072)',
    )
    expect(refusalText(new HiveRefusal('no', null, 1))).toBe('no (error 1)')
    expect(refusalText(new HiveRefusal('no'))).toBe('no')
  })
})

describe('a statement in a message', () => {
  it('is on one line', () => {
    expect(statementHint('\n  merge into t\n  using s  ')).toBe('merge into t using s')
  })

  it('is cut where it gets long', () => {
    const hint = statementHint(`select ${'a, '.repeat(100)}`)
    expect(hint).toHaveLength(80)
    expect(hint.endsWith('…')).toBe(true)
  })
})

describe('a failed statement', () => {
  it('names the statement and what Hive said, and stays wrong when its text was wrong', () => {
    const error = failed('select *\nfrom nope', new HiveRefusal(recorded.semantic, '42S02', 10001))
    expect(error).toMatchObject({ code: 'statement-failed', retry: 'never' })
    expect(error.message).toBe(
      'select * from nope failed: SemanticException [Error 10001]: ' +
        "Line 1:14 Table not found 'nope' (SQLSTATE 42S02, error 10001)",
    )
  })

  it('stays wrong when the metastore does not allow the change of a type', () => {
    const said =
      'Unable to alter table. The following columns have types incompatible with the existing columns in ' +
      'their respective positions :\nbo'
    const error = failed('ALTER TABLE t …', new HiveRefusal(said, '08S01', 40_013))
    expect(error).toMatchObject({ code: 'statement-failed', retry: 'never' })
  })

  it('is worth another try when running it failed', () => {
    const error = failed('merge', new HiveRefusal(recorded.task, '08S01', 2))
    expect(error).toMatchObject({ code: 'statement-failed', retry: 'backoff' })
  })

  it.each([
    [
      'its commit was not answered',
      'FAILED: LockException Error communicating with the metastore',
      12,
    ],
    ['its transaction is not known any more', 'No record of transaction txnid:7', 10262],
    ['Hive did not foresee it', 'Error running query: java.lang.OutOfMemoryError', 0],
  ])('may have been committed when %s', (_, message, errorCode) => {
    expect(mayHaveCommitted(new HiveRefusal(message, '08S01', errorCode))).toBe(true)
  })

  it.each([recorded.semantic, recorded.task, recorded.bare])(
    'was not committed when a task or the compiler says so: %#',
    message => {
      expect(mayHaveCommitted(new HiveRefusal(message, '08S01', 2))).toBe(false)
    },
  )
})
