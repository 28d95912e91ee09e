/** Values as the text that `java/RowPrinter.java` prints; timestamps are in nanoseconds. */
import type { OrcStructType, OrcType, OrcUnionValue, OrcValue } from '../../orc/index.ts'
import { readBack } from '../orc/samples.ts'

const bits = new DataView(new ArrayBuffer(8))

/** The lines that Java prints for rows that were written with timestamps in micros. */
export function expectedLines(schema: OrcStructType, rows: readonly OrcValue[][]): string[] {
  const types = schema.fields.map(field => field.type)
  return rows.map(row =>
    rowText(
      types,
      row.map((value, k) => inNanos(types[k]!, readBack(types[k]!, value))),
    ),
  )
}

function inNanos(type: OrcType, value: OrcValue): OrcValue {
  if (value === null) return null
  switch (type.kind) {
    case 'timestamp':
    case 'timestamp_instant':
      return BigInt(value as number | bigint) * 1000n
    case 'list':
      return (value as OrcValue[]).map(element => inNanos(type.element, element))
    case 'struct':
      return type.fields.map((field, k) => inNanos(field.type, (value as OrcValue[])[k]!))
    case 'map':
      return new Map(
        [...(value as Map<OrcValue, OrcValue>)].map(([key, item]) => [
          inNanos(type.key, key),
          inNanos(type.value, item),
        ]),
      )
    case 'union': {
      const { tag, value: inner } = value as OrcUnionValue
      return { tag, value: inNanos(type.variants[tag]!, inner) }
    }
    default:
      return value
  }
}

export function rowText(types: readonly OrcType[], row: readonly OrcValue[]): string {
  return `[${types.map((type, k) => valueText(type, row[k]!)).join(',')}]`
}

export function valueText(type: OrcType, value: OrcValue): string {
  if (value === null) return 'null'
  switch (type.kind) {
    case 'float':
      bits.setFloat32(0, value as number)
      return bits.getUint32(0).toString(16).padStart(8, '0')
    case 'double':
      bits.setFloat64(0, value as number)
      return bits.getBigUint64(0).toString(16).padStart(16, '0')
    case 'string':
    case 'varchar':
    case 'char':
      return `"${Buffer.from(value as string).toString('base64')}"`
    case 'binary':
      return `"${Buffer.from(value as Uint8Array).toString('base64')}"`
    case 'date':
      return new Date((value as number) * 86_400_000).toISOString().slice(0, 10)
    case 'timestamp':
    case 'timestamp_instant':
      return timeText(value as bigint)
    case 'decimal':
      return decimalText(value as number | bigint, type.scale)
    case 'struct':
      return rowText(
        type.fields.map(field => field.type),
        value as OrcValue[],
      )
    case 'list':
      return `[${(value as OrcValue[]).map(element => valueText(type.element, element)).join(',')}]`
    case 'map': {
      const entries = [...(value as Map<OrcValue, OrcValue>)].map(
        ([key, item]) => `[${valueText(type.key, key)},${valueText(type.value, item)}]`,
      )
      return `[${entries.join(',')}]`
    }
    case 'union': {
      const { tag, value: inner } = value as OrcUnionValue
      return `<${tag}:${valueText(type.variants[tag]!, inner)}>`
    }
    default:
      return `${value as boolean | number | bigint}`
  }
}

function timeText(nanos: bigint): string {
  const fraction = ((nanos % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n
  const whole = new Date(Number((nanos - fraction) / 1_000_000n)).toISOString()
  return `${whole.slice(0, 19)}.${String(fraction).padStart(9, '0')}`
}

function decimalText(unscaled: number | bigint, scale: number): string {
  const sign = unscaled < 0 ? '-' : ''
  const digits = String(unscaled)
    .replace('-', '')
    .padStart(scale + 1, '0')
  const whole = digits.slice(0, digits.length - scale)
  return scale === 0 ? sign + whole : `${sign}${whole}.${digits.slice(-scale)}`
}
