/**
 * Reads damaged files by the thousand. Each ends in rows or in an OrcError, in bounded time and
 * memory; everything else is a failure. The number of a mutation tells all about it.
 */
import { setImmediate } from 'node:timers/promises'
import { inspect } from 'node:util'
import {
  BufferSource,
  describeOrcFile,
  OrcError,
  type OrcErrorCode,
  type OrcField,
  OrcReader,
  type OrcRowsOptions,
  type OrcStructType,
  type OrcType,
  type OrcUnionValue,
  type OrcValue,
} from '../../orc/index.ts'
import { Dissection, mutateFile } from './mutations.ts'
import {
  everyType,
  nullPatterns,
  Random,
  sampleValues,
  structOf,
  styles,
  type WrittenCodec,
  withNulls,
  writeFile,
  writtenCodecs,
} from './samples.ts'

export type Outcome = 'rows' | OrcErrorCode

/** Fails when it is asked for bytes that the file does not have: the reader must have checked. */
class StrictSource extends BufferSource {
  override read(offset: number, length: number): Promise<Uint8Array> {
    if (offset < 0 || length < 0 || offset + length > this.sizeBytes) {
      throw new RangeError(`${length} bytes at ${offset} of ${this.sizeBytes}`)
    }
    return super.read(offset, length)
  }
}

/** More rows than any intact file has: columns of no bytes can state any number of them. */
const enoughRows = 100_000

/**
 * Reads everything that can be read, in all ways; an OrcError is as good as rows. Returns in which
 * of them reading all rows ended, and throws when rows are not of the types that the file states.
 */
export async function outcome(file: Uint8Array, maxBatchBytes = 2 ** 22): Promise<Outcome> {
  return endOf(async () => {
    const reader = await OrcReader.open(new StrictSource(file), { maxBatchBytes })
    return readInAllWays(reader)
  })
}

async function readInAllWays(reader: OrcReader): Promise<Outcome> {
  const { schema } = reader
  const whole = await endOf(() => readWhole(reader))
  await endOf(() => describeOrcFile(reader))
  for (const index of reader.stripes.keys()) await endOf(() => reader.readRowIndexes(index))
  if (schema.kind === 'struct' && schema.fields.length > 0) {
    await endOf(() => readMatching(reader, schema.fields[0]!))
    await endOf(() => readAsTexts(reader, schema.fields))
  }
  return whole
}

/** What a read resolves to, or the code of its error. Errors other than ours pass. */
async function endOf<T>(read: () => Promise<T>): Promise<T | OrcErrorCode> {
  try {
    return await read()
  } catch (error) {
    if (error instanceof OrcError) return error.code
    throw error
  }
}

async function readWhole(reader: OrcReader): Promise<'rows'> {
  const count = await readTyped(reader, reader.schema)
  if (count <= enoughRows && count !== reader.rowCount) {
    throw new Error(`${count} rows, not ${reader.rowCount}`)
  }
  return 'rows'
}

/** By statistics and bloom filters, from the starts of row groups. */
async function readMatching(reader: OrcReader, { name, type }: OrcField): Promise<void> {
  const isNull = { column: name, isNull: true }
  const literal = literalFor(type)
  const equals = { column: name, equals: literal }
  await readTyped(reader, reader.schema, { where: isNull })
  if (literal !== null) await readTyped(reader, reader.schema, { where: equals })
}

/** As another schema: all that are not of several values become texts. */
async function readAsTexts(reader: OrcReader, fields: readonly OrcField[]): Promise<void> {
  const schema = {
    kind: 'struct',
    fields: fields.map(field => (literalFor(field.type) === null ? field : asText(field))),
  } as const
  await readTyped(reader, schema, { schema })
}

function asText({ name }: OrcField): OrcField {
  return { name, type: { kind: 'string' } }
}

async function readTyped(
  reader: OrcReader,
  schema: OrcType,
  options: OrcRowsOptions = {},
): Promise<number> {
  let rowCount = 0
  for await (const rows of reader.rows(options)) {
    for (const row of rows) {
      if (schema.kind === 'struct') requireOfType(schema, row)
      else requireOfType(schema, row[0]!)
    }
    rowCount += rows.length
    if (rowCount > enoughRows) break
  }
  return rowCount
}

/** A value for a predicate; null for types that have no predicates. */
function literalFor(type: OrcType): OrcValue {
  switch (type.kind) {
    case 'boolean':
      return true
    case 'string':
    case 'varchar':
    case 'char':
      return 'ab '
    case 'binary':
    case 'struct':
    case 'list':
    case 'map':
    case 'union':
      return null
    default:
      return 50
  }
}

function requireOfType(type: OrcType, value: OrcValue): void {
  if (!isOfType(type, value)) throw new Error(`a value of type ${type.kind} is ${inspect(value)}`)
}

function isOfType(type: OrcType, value: OrcValue): boolean {
  if (value === null) return true
  switch (type.kind) {
    case 'boolean':
      return typeof value === 'boolean'
    case 'byte':
    case 'short':
    case 'int':
    case 'date':
      return Number.isInteger(value)
    case 'long':
    case 'decimal':
    case 'timestamp':
    case 'timestamp_instant':
      return Number.isSafeInteger(value) || typeof value === 'bigint'
    case 'float':
    case 'double':
      return typeof value === 'number'
    case 'binary':
      return value instanceof Uint8Array
    case 'struct':
      return (
        Array.isArray(value) &&
        value.length === type.fields.length &&
        type.fields.every((field, k) => isOfType(field.type, value[k]!))
      )
    case 'list':
      return Array.isArray(value) && value.every(element => isOfType(type.element, element))
    case 'map':
      return (
        value instanceof Map &&
        [...value].every(([key, item]) => isOfType(type.key, key) && isOfType(type.value, item))
      )
    case 'union': {
      const { tag, value: inner } = value as OrcUnionValue
      const variant = type.variants[tag]
      return variant !== undefined && isOfType(variant, inner)
    }
    default:
      return typeof value === 'string'
  }
}

export interface FuzzFile {
  readonly name: string
  readonly bytes: Uint8Array
  readonly dissection: Dissection
}

/** Files of each type by itself and of all together, with each codec. */
export async function fuzzFiles(): Promise<FuzzFile[]> {
  const schemas = Object.entries(everyType).map(([name, type]) => [name, { v: type }] as const)
  const files: FuzzFile[] = []
  for (const [name, types] of [...schemas, ['all', everyType] as const]) {
    for (const compression of writtenCodecs) {
      const bytes = await intactFile(structOf(types), compression, files.length)
      const dissection = new Dissection(bytes)
      files.push({ name: `${name} ${compression}`, bytes, dissection })
    }
  }
  return files
}

function intactFile(
  schema: OrcStructType,
  compression: WrittenCodec,
  seed: number,
): Promise<Uint8Array> {
  const random = new Random(seed)
  const columns = schema.fields.map((field, k) =>
    withNulls(
      sampleValues(field.type, styles[(k + seed) % 4]!, 130, random),
      nullPatterns[(k + seed) % 2]!,
      random,
    ),
  )
  const rows = Array.from({ length: 130 }, (_, row) => columns.map(values => values[row]!))
  const bloomFilterColumns = schema.fields
    .filter(({ type }) => literalFor(type) !== null && type.kind !== 'boolean')
    .map(({ name }) => name)
  const options = {
    compression,
    rowIndexStride: 50,
    compressionBlockBytes: 512,
    bloomFilterColumns,
  }
  return writeFile(schema, rows, options, [100])
}

/** The file of a mutation, damaged. */
export function mutation(files: readonly FuzzFile[], number: number): Uint8Array {
  const random = new Random(number)
  const { bytes, dissection } = files[number % files.length]!
  return random.below(3) === 0 ? mutateFile(bytes, random) : dissection.mutate(random)
}

export interface FuzzReport {
  /** How often each outcome was seen. */
  readonly outcomes: Map<Outcome, number>
  /** Mutations that ended in another way, or took too long, with what they did. */
  readonly failures: string[]
  slowestMs: number
}

/** A file that takes longer to read is a failure. */
export const maxReadMs = 10_000

/** Reads the mutations of some numbers; `started` is told of each before it is read. */
export async function fuzz(
  files: readonly FuzzFile[],
  from: number,
  to: number,
  started: (number: number) => void = () => {},
): Promise<FuzzReport> {
  const report: FuzzReport = { outcomes: new Map(), failures: [], slowestMs: 0 }
  for (let number = from; number < to; number++) {
    const file = mutation(files, number)
    started(number)
    const startMs = performance.now()
    try {
      const ended = await outcome(file, 2 ** 20)
      report.outcomes.set(ended, (report.outcomes.get(ended) ?? 0) + 1)
    } catch (error) {
      report.failures.push(`${mutationTitle(files, number)}: ${(error as Error).stack}`)
    }
    const tookMs = performance.now() - startMs
    if (tookMs > maxReadMs) report.failures.push(`${mutationTitle(files, number)}: ${tookMs} ms`)
    report.slowestMs = Math.max(report.slowestMs, tookMs)
    // Node frees what failed decompressors hold only in a turn of its event loop.
    if (number % 50 === 0) await setImmediate()
  }
  return report
}

export function mutationTitle(files: readonly FuzzFile[], number: number): string {
  return `mutation ${number} of ${files[number % files.length]!.name}`
}
