/**
 * The errors of Forager: one root class, one subclass for each party that must act, and the closed
 * list of codes. A code is frozen within a major version; each has a heading in `docs/errors.md`,
 * which is generated from the list (`error-codes.ts`, `scripts/generate-docs.ts`).
 */

import { errorCodes } from './error-codes.ts'
import { withoutSecrets } from './secrets.ts'
import { cutText, shownLine } from './shown-text.ts'

export { errorCodes }

export type ErrorCode = keyof typeof errorCodes

/** Where it happened. Only what is known is given. */
export interface ErrorContext {
  readonly topic?: string
  readonly partition?: number
  readonly offset?: number
  readonly table?: string
  readonly column?: string
  readonly file?: string
  readonly line?: number
  readonly task?: string
  readonly node?: string
}

export interface ErrorOptions {
  readonly retry?: 'never' | 'backoff'
  readonly context?: ErrorContext
  readonly cause?: unknown
}

/** A message may show what a table's columns are called, or what a server says. */
const maxMessageChars = 8000
const maxContextChars = 300

/** The root of every error that Forager throws on purpose. No message has a secret in it. */
export class ForagerError extends Error {
  readonly code: ErrorCode
  readonly retry: 'never' | 'backoff'
  readonly context: ErrorContext

  constructor(code: ErrorCode, message: string, options: ErrorOptions = {}) {
    super(
      cutText(withoutSecrets(message), maxMessageChars),
      options.cause === undefined ? undefined : { cause: options.cause },
    )
    this.name = new.target.name
    this.code = code
    this.retry = options.retry ?? 'never'
    this.context = options.context ?? {}
  }

  /** `message (topic t, partition 0, offset 7). Advice.` on one line: what, where, what to do. */
  describe(): string {
    const where = Object.entries(this.context)
      .filter(([, value]) => value !== undefined && value !== '')
      .map(([name, value]) => `${name} ${shownLine(String(value), maxContextChars)}`)
      .join(', ')
    const advice = errorCodes[this.code].advice
    // A message may show what the data holds: line ends in it would break the line.
    const message = shownLine(this.message, maxMessageChars)
    return `${message}${where === '' ? '' : ` (${where})`} [${this.code}]. ${advice}`
  }

  /** The same error with more of where it happened; what is already known stays. */
  at(context: ErrorContext): this {
    Object.assign(this, { context: { ...context, ...this.context } })
    return this
  }
}

export class TopologyError extends ForagerError {}
export class ConfigError extends ForagerError {}
export class DecodeError extends ForagerError {}
export class ProcessingError extends ForagerError {}
export class StateError extends ForagerError {}
export class SourceError extends ForagerError {}
export class WarehouseError extends ForagerError {
  /** The error as one of the warehouse's: where it hit a table, it is that table's. */
  static of(error: ForagerError): WarehouseError {
    if (error instanceof WarehouseError) return error
    const { code, message, retry, context, cause } = error
    return new WarehouseError(code, message, { retry, context, cause })
  }
}
export class InvariantError extends ForagerError {
  constructor(message: string, context: ErrorContext = {}) {
    super('invariant-violated', message, { context })
  }
}

/** States an invariant. It stays on in production: a broken one must stop the process. */
export function assert(
  condition: boolean,
  message: string | (() => string),
  context?: ErrorContext,
): asserts condition {
  if (!condition) {
    throw new InvariantError(typeof message === 'string' ? message : message(), context)
  }
}

/** True for what a bad message causes: the policy `onError` decides about it. */
export function isDataError(error: unknown): error is DecodeError | ProcessingError {
  return error instanceof DecodeError || error instanceof ProcessingError
}
