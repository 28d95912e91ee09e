/**
 * Values of MySQL's spatial columns: the id of a reference system (4 bytes, little endian), then WKB. The
 * text is the one in which Debezium's struct of them is kept.
 */
import { misfit } from '../../model/value.ts'
import { jsonTextOf } from '../values/debezium-values.ts'

/** Types of such columns. */
export const geometryNames = [
  'GEOMETRY',
  'POINT',
  'LINESTRING',
  'POLYGON',
  'MULTIPOINT',
  'MULTILINESTRING',
  'MULTIPOLYGON',
  'GEOMETRYCOLLECTION',
] as const

const sridBytes = 4
const pointBytes = 21
const wkbPoint = 1

/** `isPoint`: the column holds points, whose coordinates are told. Throws `value-invalid`. */
export function geometryText(bytes: Uint8Array, isPoint: boolean): string {
  const type = { kind: 'string' } as const
  const buffer = Buffer.from(bytes)
  if (buffer.length < sridBytes + 5) throw misfit(type, buffer.toString('base64'))
  const srid = buffer.readUInt32LE(0)
  const body = buffer.subarray(sridBytes)
  const rest = { wkb: body.toString('base64'), srid: srid === 0 ? null : srid }
  if (!isPoint) return jsonTextOf(rest)
  // Byte order (1: little endian), type, x, y.
  const isPlain = body.length === pointBytes && body[0] === 1 && body.readUInt32LE(1) === wkbPoint
  if (!isPlain) throw misfit(type, buffer.toString('base64'))
  return jsonTextOf({ x: body.readDoubleLE(5), y: body.readDoubleLE(13), ...rest })
}
