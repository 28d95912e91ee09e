/**
 * Types, columns and files for tests of ORC, and what a reader must give back for what was written.
 */
import type {
  OrcBatchesOptions,
  OrcStructType,
  OrcType,
  OrcUnionValue,
  OrcValue,
} from '../../orc/index.ts'
import {
  BufferSink,
  BufferSource,
  OrcReader,
  OrcWriter,
  type OrcWriterOptions,
} from '../../orc/index.ts'
import { normal, type Random, type Style, sampleValue } from './sample-values.ts'

export { fromInt64, normal, Random, type Style, styles } from './sample-values.ts'

export const scalarTypes = {
  boolean: { kind: 'boolean' },
  byte: { kind: 'byte' },
  short: { kind: 'short' },
  int: { kind: 'int' },
  long: { kind: 'long' },
  float: { kind: 'float' },
  double: { kind: 'double' },
  string: { kind: 'string' },
  varchar: { kind: 'varchar', length: 7 },
  char: { kind: 'char', length: 5 },
  binary: { kind: 'binary' },
  date: { kind: 'date' },
  timestamp: { kind: 'timestamp' },
  timestamp_instant: { kind: 'timestamp_instant' },
  decimal: { kind: 'decimal', precision: 10, scale: 2 },
  wideDecimal: { kind: 'decimal', precision: 38, scale: 10 },
} as const satisfies Record<string, OrcType>

export const compoundTypes = {
  struct: {
    kind: 'struct',
    fields: [
      { name: 'n', type: { kind: 'int' } },
      { name: 's', type: { kind: 'string' } },
    ],
  },
  list: { kind: 'list', element: { kind: 'long' } },
  map: { kind: 'map', key: { kind: 'string' }, value: { kind: 'double' } },
  union: {
    kind: 'union',
    variants: [
      { kind: 'int' },
      { kind: 'string' },
      { kind: 'list', element: { kind: 'decimal', precision: 20, scale: 3 } },
    ],
  },
  nested: {
    kind: 'list',
    element: {
      kind: 'struct',
      fields: [
        { name: 'tags', type: { kind: 'list', element: { kind: 'string' } } },
        { name: 'at', type: { kind: 'timestamp' } },
      ],
    },
  },
} as const satisfies Record<string, OrcType>

export const allTypes: Readonly<Record<string, OrcType>> = { ...scalarTypes, ...compoundTypes }

/** One with unions in lists in unions in structs in maps. */
export const deepTypes = {
  nestedUnion: {
    kind: 'map',
    key: { kind: 'string' },
    value: {
      kind: 'struct',
      fields: [
        {
          name: 'either',
          type: {
            kind: 'union',
            variants: [
              { kind: 'float' },
              {
                kind: 'list',
                element: {
                  kind: 'union',
                  variants: [{ kind: 'date' }, { kind: 'timestamp_instant' }],
                },
              },
            ],
          },
        },
        {
          name: 'items',
          type: {
            kind: 'list',
            element: {
              kind: 'struct',
              fields: [
                { name: 'tiny', type: { kind: 'byte' } },
                { name: 'code', type: { kind: 'char', length: 3 } },
              ],
            },
          },
        },
      ],
    },
  },
} as const satisfies Record<string, OrcType>

export const everyType: Readonly<Record<string, OrcType>> = { ...allTypes, ...deepTypes }

/** The codecs that the writer has; ORC before 2.0 does not know the last one. */
export const writtenCodecs = ['none', 'zlib', 'snappy', 'lz4', 'zstd', 'brotli'] as const
export type WrittenCodec = (typeof writtenCodecs)[number]

export const nullPatterns = ['none', 'some', 'all', 'runs'] as const
export type NullPattern = (typeof nullPatterns)[number]

/** `count` values of a type. */
export function sampleValues(
  type: OrcType,
  style: Style,
  count: number,
  random: Random,
): OrcValue[] {
  const values: OrcValue[] = []
  while (values.length < count) {
    const value = sampleValue(type, style, values.length, random)
    const repeat = style === 'runs' ? 1 + random.below(14) : 1
    for (let k = 0; k < repeat && values.length < count; k++) values.push(value)
  }
  return values
}

export function withNulls(values: OrcValue[], pattern: NullPattern, random: Random): OrcValue[] {
  let left = 0
  let isNull = false
  return values.map(value => {
    if (pattern === 'none') return value
    if (pattern === 'all') return null
    if (pattern === 'some') return random.below(5) === 0 ? null : value
    if (left-- <= 0) {
      left = random.below(200)
      isNull = !isNull
    }
    return isNull ? null : value
  })
}

/** What a reader gives for a value that was written, timestamps in micros. */
export function readBack(type: OrcType, value: OrcValue): OrcValue {
  if (value === null) return null
  switch (type.kind) {
    case 'float':
      return Math.fround(value as number)
    case 'varchar':
      return cut(value as string, type.length)
    case 'char':
      return cut(value as string, type.length).replace(/ +$/, '')
    case 'timestamp':
    case 'timestamp_instant': {
      const micros = BigInt(value as number | bigint)
      return normal(micros < 0n && micros > -999_001n ? micros + 1_000_000n : micros)
    }
    case 'long':
    case 'decimal':
      return normal(BigInt(value as number | bigint))
    case 'struct':
      return type.fields.map((field, index) => readBack(field.type, (value as OrcValue[])[index]!))
    case 'list':
      return (value as OrcValue[]).map(element => readBack(type.element, element))
    case 'map':
      return new Map(
        [...(value as Map<OrcValue, OrcValue>)].map(([key, item]) => [
          key,
          readBack(type.value, item),
        ]),
      )
    case 'union': {
      const { tag, value: inner } = value as OrcUnionValue
      return { tag, value: readBack(type.variants[tag]!, inner) }
    }
    default:
      return value
  }
}

function cut(text: string, length: number): string {
  return Array.from(text).slice(0, length).join('')
}

export function structOf(types: Readonly<Record<string, OrcType>>): OrcStructType {
  return { kind: 'struct', fields: Object.entries(types).map(([name, type]) => ({ name, type })) }
}

/**
 * Writes rows into memory; a stripe ends when it is full, and after the rows named in `stripeEnds`.
 */
export async function writeFile(
  schema: OrcStructType,
  rows: readonly (readonly OrcValue[])[],
  options: OrcWriterOptions = {},
  stripeEnds: readonly number[] = [],
): Promise<Uint8Array> {
  const sink = new BufferSink()
  const writer = new OrcWriter(sink, schema, options)
  for (const [index, row] of rows.entries()) {
    writer.writeRow(row)
    if (writer.isStripeFull || stripeEnds.includes(index + 1)) await writer.flushStripe()
  }
  await writer.close()
  return sink.bytes()
}

/** The same rows by vectors: read from a file and written to another one, without a value in between. */
export async function copyFile(
  file: Uint8Array,
  options: OrcWriterOptions & OrcBatchesOptions = {},
): Promise<Uint8Array> {
  const reader = await OrcReader.open(new BufferSource(file))
  const sink = new BufferSink()
  const writer = new OrcWriter(sink, reader.schema as OrcStructType, options)
  for await (const batch of reader.batches({ maxBatchRows: 1000, ...options })) {
    writer.writeBatch(batch)
    if (writer.isStripeFull) await writer.flushStripe()
  }
  await writer.close()
  return sink.bytes()
}

export async function readRows(
  file: Uint8Array,
  options: Parameters<typeof OrcReader.open>[1] & Parameters<OrcReader['rows']>[0] = {},
): Promise<OrcValue[][]> {
  const reader = await OrcReader.open(new BufferSource(file), options)
  const rows: OrcValue[][] = []
  for await (const batch of reader.rows(options)) rows.push(...batch)
  return rows
}
