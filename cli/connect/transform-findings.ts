/** What a connector's transforms do to messages: whether the format reads them, and what they drop. */
import type { Config } from '../config-schema.ts'
import type { Finding } from './finding.ts'
import { problem } from './finding.ts'

type Settings = Readonly<Record<string, string>>

const flattening = 'io.debezium.transforms.ExtractNewRecordState'

/** They change names of topics; of the second the key tells the table. */
const harmless = [
  'org.apache.kafka.connect.transforms.RegexRouter',
  'io.debezium.transforms.ByLogicalTableRouter',
]

export interface Transform {
  readonly name: string
  readonly type: string
  readonly settings: Settings
}

/** In their order. */
export function transformsOf(settings: Settings): readonly Transform[] {
  const names = (settings.transforms ?? '').split(',').map(name => name.trim())
  return names.flatMap(name => {
    const prefix = `transforms.${name}.`
    const own = Object.entries(settings).flatMap(([key, value]) =>
      key.startsWith(prefix) ? [[key.slice(prefix.length), value] as const] : [],
    )
    const found = Object.fromEntries(own)
    return found.type === undefined ? [] : [{ name, type: found.type, settings: found }]
  })
}

export function flatteningOf(settings: Settings): Transform | undefined {
  return transformsOf(settings).find(({ type }) => type === flattening)
}

export function* transformFindings(
  what: string,
  settings: Settings,
  { source }: Config,
): Generator<Finding> {
  const flat = flatteningOf(settings)
  const isFlat = source.format === 'debezium-flat'
  if (flat !== undefined && !isFlat && source.format !== 'auto') {
    const fact = `the transform ${flat.name} flattens rows, and the format is ${source.format}`
    yield problem('connector-format', what, fact)
  }
  if (flat === undefined && isFlat) {
    yield problem(
      'connector-format',
      what,
      `no transform flattens rows, and the format is ${source.format}`,
    )
  }
  if (flat !== undefined) yield* flatFindings(what, settings, flat)
  for (const { name, type } of transformsOf(settings)) {
    if (type === flattening || harmless.includes(type)) continue
    yield problem(
      'messages-transformed',
      what,
      `the transform ${name} is ${type.split('.').at(-1)}`,
    )
  }
}

/** Any of these and what comes with it makes a position; see `formats/debezium/debezium-position.ts`. */
const placeFields: Readonly<Record<string, readonly string[]>> = {
  mysql: ['server_id', 'file', 'pos', 'row'],
  mariadb: ['server_id', 'file', 'pos', 'row'],
  postgresql: ['lsn'],
  oracle: ['commit_scn'],
  sqlserver: ['commit_lsn', 'change_lsn'],
  db2: ['commit_lsn', 'change_lsn'],
  mongodb: ['ord'],
}

function* flatFindings(what: string, all: Settings, { name, settings }: Transform) {
  const mode = deleteMode(settings)
  const hasTombstones = (all['tombstones.on.delete'] ?? 'true').toLowerCase() !== 'false'
  if (mode === 'drop' || (mode === 'tombstone' && !hasTombstones)) {
    const also = mode === 'drop' ? '' : ' and tombstones.on.delete is false'
    yield problem('deletes-dropped', what, `the transform ${name} has the mode ${mode}${also}`)
  }
  const kind = /^io\.debezium\.connector\.([a-z0-9]+)\./.exec(all['connector.class'] ?? '')?.[1]
  const added = (settings['add.fields'] ?? '').split(',').map(field => field.trim().split(':')[0]!)
  const names = added.map(field => field.split('.').at(-1)!)
  const missing = (placeFields[kind ?? ''] ?? []).filter(field => !names.includes(field))
  if (missing.length > 0) {
    const fact = `add.fields of the transform ${name} lacks ${missing.join(', ')}`
    yield problem('positions-left-out', what, fact)
  }
}

/** Before Debezium 2.5 two settings said it. */
function deleteMode(settings: Settings): string {
  const mode = settings['delete.tombstone.handling.mode']?.toLowerCase()
  if (mode !== undefined) return mode
  const handling = settings['delete.handling.mode']?.toLowerCase()
  const tombstones = settings['drop.tombstones']?.toLowerCase()
  if (handling === undefined && tombstones === undefined) return 'tombstone'
  if (handling === 'rewrite') return 'rewrite'
  return tombstones === 'false' ? 'tombstone' : 'drop'
}
