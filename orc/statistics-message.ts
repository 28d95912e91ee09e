/**
 * Column statistics as the message that indexes, stripe statistics and the footer hold.
 *
 * Source: `orc_proto.proto`, message ColumnStatistics.
 */
import { parseDecimal } from './decimal.ts'
import { type MessageReader, MessageWriter } from './protobuf.ts'
import type { ColumnStatistics, StatisticsDetails } from './statistics.ts'

const nanosPerMilli = 1_000_000n

/** What readers assume for the part below a millisecond when a message does not state it. */
const assumedMinimumNanos = 0
const assumedMaximumNanos = 999_999

export function encodeStatistics(statistics: ColumnStatistics): MessageWriter {
  const message = new MessageWriter().unsigned(1, statistics.valueCount)
  if (statistics.details !== undefined) encodeDetails(statistics.details, message)
  // Always stated: readers take a missing flag for true.
  message.boolean(10, statistics.hasNull)
  if (statistics.bytesOnDisk > 0) message.unsigned(11, statistics.bytesOnDisk)
  return message
}

function encodeDetails(details: StatisticsDetails, message: MessageWriter): void {
  const inner = new MessageWriter()
  switch (details.kind) {
    case 'integer':
      inner.signed(1, details.minimum).signed(2, details.maximum)
      if (details.sum !== null) inner.signed(3, details.sum)
      message.message(2, inner)
      break
    case 'double':
      inner.double(1, details.minimum).double(2, details.maximum).double(3, details.sum)
      message.message(3, inner)
      break
    case 'string':
      inner.text(details.isMinimumExact ? 1 : 4, details.minimum)
      inner.text(details.isMaximumExact ? 2 : 5, details.maximum)
      message.message(4, inner.signed(3, details.byteCount))
      break
    case 'boolean':
      message.message(5, inner.packed(1, [details.trueCount]))
      break
    case 'decimal':
      inner.text(1, details.minimum).text(2, details.maximum)
      if (details.sum !== null) inner.text(3, details.sum)
      message.message(6, inner)
      break
    case 'date':
      message.message(7, inner.signed(1, details.minimum).signed(2, details.maximum))
      break
    case 'binary':
      message.message(8, inner.signed(1, details.byteCount))
      break
    case 'timestamp':
      message.message(9, encodeTimestamps(details.minimum, details.maximum))
      break
    case 'collection':
      inner.unsigned(1, details.minimumLength).unsigned(2, details.maximumLength)
      message.message(12, inner.unsigned(3, details.elementCount))
      break
  }
}

function encodeTimestamps(minimum: bigint, maximum: bigint): MessageWriter {
  const [minimumMillis, minimumNanos] = splitMillis(minimum)
  const [maximumMillis, maximumNanos] = splitMillis(maximum)
  const inner = new MessageWriter().signed(3, minimumMillis).signed(4, maximumMillis)
  if (minimumNanos !== assumedMinimumNanos) inner.unsigned(5, minimumNanos + 1)
  if (maximumNanos !== assumedMaximumNanos) inner.unsigned(6, maximumNanos + 1)
  return inner
}

/** Whole milliseconds, rounded down, and the nanoseconds beyond them. */
function splitMillis(nanos: bigint): [bigint, number] {
  const beyond = ((nanos % nanosPerMilli) + nanosPerMilli) % nanosPerMilli
  return [(nanos - beyond) / nanosPerMilli, Number(beyond)]
}

export function decodeStatistics(message: MessageReader): ColumnStatistics {
  let valueCount = 0
  let hasNull = true
  let bytesOnDisk = 0
  let details: StatisticsDetails | undefined
  while (message.next()) {
    if (message.field === 1) valueCount = message.unsigned()
    else if (message.field === 10) hasNull = message.boolean()
    else if (message.field === 11) bytesOnDisk = message.unsigned()
    else details = decodeDetails(message) ?? details
  }
  return { valueCount, hasNull, bytesOnDisk, details: valueCount === 0 ? undefined : details }
}

/** Undefined when the fields that make the details usable are missing. */
function decodeDetails(message: MessageReader): StatisticsDetails | undefined {
  switch (message.field) {
    case 2: {
      const {
        1: minimum,
        2: maximum,
        3: sum = null,
      } = readFields(message.message(), 3, m => m.signed())
      return minimum === undefined || maximum === undefined
        ? undefined
        : { kind: 'integer', minimum, maximum, sum }
    }
    case 3: {
      const { 1: minimum, 2: maximum, 3: sum } = readFields(message.message(), 3, m => m.double())
      return minimum === undefined || maximum === undefined || sum === undefined
        ? undefined
        : { kind: 'double', minimum, maximum, sum }
    }
    case 4:
      return decodeStrings(message.message())
    case 5: {
      const counts: number[] = []
      const inner = message.message()
      while (inner.next()) if (inner.field === 1) inner.unsignedInto(counts)
      return counts[0] === undefined ? undefined : { kind: 'boolean', trueCount: counts[0] }
    }
    case 6:
      return decodeDecimals(message.message())
    case 7: {
      const { 1: minimum, 2: maximum } = readFields(message.message(), 3, m => Number(m.signed()))
      return minimum === undefined || maximum === undefined
        ? undefined
        : { kind: 'date', minimum, maximum }
    }
    case 8: {
      const { 1: byteCount } = readFields(message.message(), 3, m => Number(m.signed()))
      return byteCount === undefined ? undefined : { kind: 'binary', byteCount }
    }
    case 9:
      return decodeTimestamps(message.message())
    case 12: {
      const fields = readFields(message.message(), 3, m => m.unsigned())
      const { 1: minimumLength, 2: maximumLength, 3: elementCount = 0 } = fields
      return minimumLength === undefined || maximumLength === undefined
        ? undefined
        : { kind: 'collection', minimumLength, maximumLength, elementCount }
    }
    default:
      return undefined
  }
}

/** The fields 1 to `last` of a message, whose values are all of one type, by number. */
function readFields<T>(
  message: MessageReader,
  last: number,
  read: (message: MessageReader) => T,
): Record<number, T | undefined> {
  const fields: Record<number, T | undefined> = {}
  while (message.next()) if (message.field <= last) fields[message.field] = read(message)
  return fields
}

function decodeStrings(message: MessageReader): StatisticsDetails | undefined {
  const texts: Record<number, string> = {}
  let byteCount = 0
  while (message.next()) {
    if (message.field === 3) byteCount = Number(message.signed())
    else if (message.field <= 5) texts[message.field] = message.text()
  }
  const { 1: exactMinimum, 2: exactMaximum, 4: lowerBound, 5: upperBound } = texts
  const minimum = exactMinimum ?? lowerBound
  const maximum = exactMaximum ?? upperBound
  if (minimum === undefined || maximum === undefined) return undefined
  const isMinimumExact = exactMinimum !== undefined
  const isMaximumExact = exactMaximum !== undefined
  return { kind: 'string', minimum, isMinimumExact, maximum, isMaximumExact, byteCount }
}

function decodeDecimals(message: MessageReader): StatisticsDetails | undefined {
  const { 1: minimum, 2: maximum, 3: sum } = readFields(message, 3, m => m.text())
  if (minimum === undefined || maximum === undefined) return undefined
  const isPlain = [minimum, maximum, sum ?? '0'].every(text => parseDecimal(text) !== null)
  return isPlain ? { kind: 'decimal', minimum, maximum, sum: sum ?? null } : undefined
}

function decodeTimestamps(message: MessageReader): StatisticsDetails | undefined {
  const millis: Record<number, bigint> = {}
  const nanos: Record<number, number> = {}
  while (message.next()) {
    if (message.field <= 4) millis[message.field] = BigInt(message.signed())
    else if (message.field <= 6) nanos[message.field] = message.unsigned() - 1
  }
  // Fields 1 and 2 are in an unknown time zone, so they say nothing.
  const { 3: minimum, 4: maximum } = millis
  if (minimum === undefined || maximum === undefined) return undefined
  return {
    kind: 'timestamp',
    minimum: minimum * nanosPerMilli + BigInt(nanos[5] ?? assumedMinimumNanos),
    maximum: maximum * nanosPerMilli + BigInt(nanos[6] ?? assumedMaximumNanos),
  }
}
