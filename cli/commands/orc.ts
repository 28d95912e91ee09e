/** `forager orc meta FILE` and `forager orc rows FILE`: looking at any ORC file. */

import type { ColumnType } from '../../model/column-type.ts'
import { WarehouseError } from '../../model/errors.ts'
import type { Value } from '../../model/value.ts'
import { toInteger } from '../../model/value.ts'
import { jsonText, timestampText } from '../../model/value-text.ts'
import type { OrcType, OrcUnionValue, OrcValue } from '../../orc/index.ts'
import { describeOrcFile, OrcError, OrcReader } from '../../orc/index.ts'
import { nodeFileSystem } from '../../runtime/file-system.ts'
import { writeOut } from '../output.ts'
import { UsageError } from '../usage-error.ts'

/** Schema, stripes, streams, encodings, statistics and user metadata, as JSON. */
export async function orcMetaCommand(path: string): Promise<number> {
  return await withReader(path, async reader => {
    await writeOut(`${JSON.stringify(await describeOrcFile(reader), null, 2)}\n`)
  })
}

/** JSON lines in the form of `forager rows`; structs and maps as objects, lists as arrays. */
export async function orcRowsCommand(path: string): Promise<number> {
  return await withReader(path, async reader => {
    const type = reader.schema
    for await (const rows of reader.rows()) {
      // A row of a root that is no struct is its one value.
      const texts = rows.map(row => orcText(type, type.kind === 'struct' ? row : row[0]!))
      await writeOut(texts.map(text => `${text}\n`).join(''))
    }
  })
}

async function withReader(
  path: string,
  action: (reader: OrcReader) => Promise<void>,
): Promise<number> {
  const found = await nodeFileSystem.stat(path)
  if (found === null) throw new UsageError(`there is no file ${path}`)
  if (found.isDirectory) throw new UsageError(`${path} is a folder, not a file`)
  const handle = await nodeFileSystem.open(path, 'read')
  try {
    const source = {
      sizeBytes: await handle.sizeBytes(),
      read: (offset: number, length: number) => handle.read(offset, length),
    }
    await action(await OrcReader.open(source, { timestampUnit: 'nanos' }))
    return 0
  } catch (cause) {
    if (!(cause instanceof OrcError)) throw cause
    const message = `${path} is not a readable ORC file: ${cause.message}`
    throw new WarehouseError('warehouse-unreadable', message, { cause })
  } finally {
    await handle.close()
  }
}

function orcText(type: OrcType, value: OrcValue): string {
  if (value === null) return 'null'
  switch (type.kind) {
    case 'struct': {
      const values = value as readonly OrcValue[]
      const fields = type.fields.map(({ name, type: field }, index) => {
        return `${JSON.stringify(name)}:${orcText(field, values[index]!)}`
      })
      return `{${fields.join(',')}}`
    }
    case 'list': {
      const items = value as readonly OrcValue[]
      return `[${items.map(item => orcText(type.element, item)).join(',')}]`
    }
    case 'map': {
      const entries = [...(value as ReadonlyMap<OrcValue, OrcValue>)].map(([key, one]) => {
        const name = orcText(type.key, key)
        return `${name.startsWith('"') ? name : JSON.stringify(name)}:${orcText(type.value, one)}`
      })
      return `{${entries.join(',')}}`
    }
    case 'union': {
      const { tag, value: one } = value as OrcUnionValue
      return `{"tag":${tag},"value":${orcText(type.variants[tag]!, one)}}`
    }
    case 'timestamp':
    case 'timestamp_instant':
      return JSON.stringify(nanosText(BigInt(value as number | bigint)))
    default:
      return jsonText(columnTypeOf(type), value as Value)
  }
}

/** As `timestampText`, with nine digits when the microseconds do not hold it. */
function nanosText(nanos: bigint): string {
  const rest = ((nanos % 1000n) + 1000n) % 1000n
  const text = timestampText(toInteger((nanos - rest) / 1000n))
  if (rest === 0n) return text
  const [seconds, fraction = ''] = text.split('.')
  const digits = `${fraction.padEnd(6, '0')}${rest.toString().padStart(3, '0')}`
  return `${seconds}.${digits.replace(/0+$/, '')}`
}

const columnKinds: Readonly<Record<string, ColumnType>> = {
  byte: { kind: 'tinyint' },
  short: { kind: 'smallint' },
  long: { kind: 'bigint' },
}

function columnTypeOf(type: OrcType): ColumnType {
  return columnKinds[type.kind] ?? (type as ColumnType)
}
