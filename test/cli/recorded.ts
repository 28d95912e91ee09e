/** Recorded events of a made-up table, as Debezium's JSON converter writes them with schemas. */

export interface Field {
  readonly field: string
  readonly type: string
  readonly name?: string
  readonly optional?: boolean
  readonly parameters?: Readonly<Record<string, string>>
  readonly items?: unknown
}

export interface Recorded {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly timestamp: number
  readonly headers: readonly unknown[]
  readonly key: string | null
  readonly value: string | null
}

type JsonText = string

export const idAndName: readonly Field[] = [
  { field: 'id', type: 'int32', optional: false },
  { field: 'name', type: 'string', optional: true },
]

const topic = 's.demo.user'

/** `row` is the text of a JSON object, so that a number may have all of its digits. */
export function changeLine(
  offset: number,
  op: string,
  id: number,
  row: JsonText | null,
  fields = idAndName,
): Recorded {
  const schema = { type: 'struct', fields: [{ field: 'after', type: 'struct', fields }] }
  const source = {
    connector: 'mariadb',
    name: 's',
    ts_ms: 1_767_225_600_000 + offset,
    snapshot: 'false',
    db: 'demo',
    table: 'user',
    server_id: 1,
    file: 'bin.000001',
    pos: 100 + offset,
    row: 0,
  }
  const [before, after] = op === 'd' ? [row, null] : [null, row]
  const payload =
    `{"op":${JSON.stringify(op)},"before":${before ?? 'null'},"after":${after ?? 'null'},` +
    `"source":${JSON.stringify(source)}}`
  return record(offset, keyText(id), `{"schema":${JSON.stringify(schema)},"payload":${payload}}`)
}

export function keyText(id: number): string {
  const fields = [{ field: 'id', type: 'int32', optional: false }]
  return JSON.stringify({ schema: { type: 'struct', fields }, payload: { id } })
}

export function record(offset: number, key: string | null, value: string | null): Recorded {
  return { topic, partition: 0, offset, timestamp: 1, headers: [], key, value }
}

export function fileOf(lines: readonly (Recorded | string)[]): string {
  const texts = lines.map(line => (typeof line === 'string' ? line : JSON.stringify(line)))
  return `${texts.join('\n')}\n`
}

/** Rows 1 to 6 are inserted, 2 is updated, 3 is deleted. */
export function goodLines(): Recorded[] {
  const inserts = [1, 2, 3, 4, 5, 6].map(id =>
    changeLine(id, 'c', id, JSON.stringify({ id, name: `name ${id}` })),
  )
  return [
    ...inserts,
    changeLine(7, 'u', 2, JSON.stringify({ id: 2, name: 'changed' })),
    changeLine(8, 'd', 3, JSON.stringify({ id: 3, name: 'name 3' })),
    record(9, keyText(3), null),
  ]
}
