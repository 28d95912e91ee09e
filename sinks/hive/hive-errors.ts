/**
 * What a call to HiveServer2 ends with when it does not succeed, and what that means for a statement:
 * it failed for certain, or nobody knows.
 */
import { WarehouseError } from '../../model/errors.ts'

/** HiveServer2 answered, and the answer is no. */
export class HiveRefusal extends Error {
  readonly sqlState: string | null
  readonly errorCode: number

  constructor(message: string, sqlState: string | null = null, errorCode = 0) {
    super(message)
    this.sqlState = sqlState
    this.errorCode = errorCode
  }

  /** The session or operation was closed, or HiveServer2 was started anew: nothing was done. */
  get isHandleUnknown(): boolean {
    return /^Invalid (Session|Operation)Handle/.test(this.message)
  }
}

/** Of a call: the connection ended or broke, time ran out, or nobody waits for it any more. */
type NoAnswerReason = 'lost' | 'timeout' | 'aborted'

/** HiveServer2 did not answer, or not in words that are understood. */
export class NoAnswer extends Error {
  readonly reason: NoAnswerReason

  constructor(reason: NoAnswerReason, message: string, cause?: unknown) {
    super(message, { cause })
    this.reason = reason
  }
}

/** The statement was surely not submitted. */
export function unreachable(message: string, cause?: unknown): WarehouseError {
  return new WarehouseError('warehouse-unreachable', message, { retry: 'backoff', cause })
}

/** Hive's code for whatever has none of its own: its SQLSTATE says nothing. */
const genericError = 40_000

/**
 * What was wrong with the statement itself (SQLSTATE class 42) stays wrong; anything else may pass. A metastore
 * that does not answer is no fault of the statement: it fails before its commit, and so does every other one.
 */
export function failed(sql: string, refusal: HiveRefusal): WarehouseError {
  const { sqlState, errorCode } = refusal
  const message = `${statementHint(sql)} failed: ${refusalText(refusal)}`
  if (isWithoutMetastore(refusal)) return unreachable(message, refusal)
  const isPassing = errorCode === genericError || isOfTransactions(errorCode)
  const isWrong = sqlState?.startsWith('42') === true && !isPassing
  const retry = isWrong || isOfTypes(refusal) ? 'never' : 'backoff'
  return new WarehouseError('statement-failed', message, { retry, cause: refusal })
}

/** Hive's codes of transactions and locks that were lost to somebody else's: they have SQLSTATE 42000 too. */
function isOfTransactions(errorCode: number): boolean {
  return errorCode >= 10_260 && errorCode <= 10_319
}

/** A metastore says so of a change of types that it does not allow, with the SQLSTATE of a lost connection. */
function isOfTypes({ message }: HiveRefusal): boolean {
  return /types incompatible with the existing columns/.test(message)
}

function isWithoutMetastore({ message }: HiveRefusal): boolean {
  return /could not connect to meta ?store|SessionHiveMetaStoreClient|TTransportException/i.test(
    message,
  )
}

/** It may have been done, it may still be done, or never. */
export function unknown(sql: string, reason: string, cause?: unknown): WarehouseError {
  return new WarehouseError(
    'statement-unknown',
    `whether ${statementHint(sql)} was done is unknown: ${reason}`,
    { retry: 'backoff', cause },
  )
}

/**
 * True for a failure that may come after the commit. Hive commits as the last step of a statement: when
 * the metastore's answer to the commit is lost, the statement "fails" although it may be visible
 * (DbTxnManager.commitTxn: METASTORE_COMMUNICATION_FAILED; asked again, a commit that was done and
 * cleaned is TXN_NO_SUCH_TRANSACTION, 10262). An error without a code is one that Hive did not foresee.
 */
export function mayHaveCommitted({ message, errorCode }: HiveRefusal): boolean {
  if (errorCode === 10262 || /communicating with the metastore/i.test(message)) return true
  return errorCode === 0
}

/** What Hive said, in one line, with its codes. */
export function refusalText({ message, sqlState, errorCode }: HiveRefusal): string {
  const codes = [
    ...(sqlState === null ? [] : [`SQLSTATE ${sqlState}`]),
    ...(errorCode === 0 ? [] : [`error ${errorCode}`]),
  ]
  return `${shortMessage(message)}${codes.length === 0 ? '' : ` (${codes.join(', ')})`}`
}

const maxMessageLength = 600

/** The first line of what Hive says, and the innermost cause when a stack trace follows. */
export function shortMessage(message: string): string {
  const lines = message.split('\n').map(line => line.trim())
  const head = (lines[0] ?? '')
    .replace(/^Error (while (compiling|processing|running) statement|running query): /, '')
    .replace(/^FAILED: /, '')
    .replace(
      /^Execution Error, return code -?\d+ from (?:[\w$]+\.)*([\w$]+)/,
      'Execution Error in $1',
    )
    .replace(/, vertexId=[^,]*, *diagnostics=.*$/, '')
  const causes = message.matchAll(/Caused by: ([^\n]+)/g).toArray()
  const cause = causes.at(-1)?.[1]?.trim()
  const text = cause === undefined || head.includes(cause) ? head : `${head}: ${cause}`
  return text.length <= maxMessageLength ? text : `${text.slice(0, maxMessageLength - 1)}…`
}

/** The first words of a statement, to know it by. */
export function statementHint(sql: string): string {
  const line = sql.trim().replaceAll(/\s+/g, ' ')
  return line.length <= 80 ? line : `${line.slice(0, 79)}…`
}
