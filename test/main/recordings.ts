/** The recordings that the main job is held against, with what each of them is known to lack. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { openRecordedSource } from '../../log/recorded-source.ts'
import type { LogRecord } from '../../model/change-event.ts'
import { nodeFileSystem } from '../../runtime/file-system.ts'
import type { ConnectorSettings } from '../fold/column-types.ts'
import { type FoldException, readFinal, tableOfLines } from '../fold/compare.ts'
import {
  m1Exceptions,
  m2Exceptions,
  m4Exceptions,
  m6Exceptions,
  p1Exceptions,
  p2Exceptions,
  p4Exceptions,
} from '../fold/exceptions.ts'
import {
  type FoldedTable,
  type FoldOptions,
  foldEvents,
  type RecordedLine,
  type Tables,
} from '../fold/naive-fold.ts'
import { readRecordedLines } from '../fold/recorded-lines.ts'
import type { MainRun } from './main-run.ts'
import { declaredColumns, recordedConfig } from './recorded-config.ts'

const fixtures = join(import.meta.dirname, '../fixtures')

export interface Recording {
  readonly name: string
  readonly path: string
  readonly lines: readonly RecordedLine[]
  readonly settings: ConnectorSettings
  readonly finalPath: string
  readonly exceptions: readonly FoldException[]
  /** What the configuration has to say of it. */
  readonly config: Readonly<Record<string, unknown>>
  /** The recording, or lines of it, folded. */
  readonly fold: (lines: readonly RecordedLine[], options?: FoldOptions) => Tables
}

function recording(
  database: string,
  file: string,
  exceptions: readonly FoldException[],
): Recording {
  const name = file.slice(0, 2)
  const path = join(fixtures, database, file)
  const settings = JSON.parse(
    readFileSync(join(fixtures, database, `${name}.json`), 'utf8'),
  ) as ConnectorSettings
  return {
    name,
    path,
    lines: readRecordedLines(path),
    settings,
    finalPath: join(fixtures, database, 'final'),
    exceptions,
    config: recordedConfig(name, settings),
    fold: (lines, options) => foldEvents(lines, { settings, ...declaredColumns(name), ...options }),
  }
}

export const recordings: readonly Recording[] = [
  recording('mariadb', 'm1_json_schema_true.jsonl', m1Exceptions),
  recording('mariadb', 'm2_json_schema_false_friendly_modes.jsonl', m2Exceptions),
  recording('mariadb', 'm4_single_topic_router.jsonl', m4Exceptions),
  recording('postgres', 'p1_json_schema_true.jsonl', p1Exceptions),
  recording('postgres', 'p2_json_schema_false_friendly_modes.jsonl', p2Exceptions),
  recording('postgres', 'p4_single_topic_router.jsonl', p4Exceptions),
]

/** By the MySQL connector, of one table. */
export const ofMysql = recording('mariadb', 'm6_mysql_connector_on_mariadb.jsonl', m6Exceptions)

/** The recording as topics of so many partitions. */
export function openRecording({ path }: Pick<Recording, 'path'>, partitions: number) {
  return openRecordedSource({
    fileSystem: nodeFileSystem,
    path,
    repartitionInto: partitions,
    onBadLine: error => {
      throw error
    },
  })
}

/** Every record of a source, partition by partition. */
export async function allRecords(
  source: Awaited<ReturnType<typeof openRecording>>,
): Promise<ReadonlyMap<string, readonly LogRecord[]>> {
  const all = new Map<string, readonly LogRecord[]>()
  for (const { name: topic, partitions } of source.topics) {
    for (let partition = 0; partition < partitions; partition += 1) {
      const records = await source.read({ topic, partition }, 0, Number.POSITIVE_INFINITY)
      if (records.length > 0) all.set(`${topic}-${partition}`, records)
    }
  }
  return all
}

/**
 * What the database had, for the tables that the connector could tell of. MariaDB could not print
 * `demo.all_types` as JSON: what it had is written by hand, from the SQL.
 */
export function finalTables({ finalPath, lines, fold }: Recording): Tables {
  return readFinal(finalPath, fold(lines))
}

/** The tables of a run, in the form of the fold. Keys and kinds are the fold's. */
export async function actualTables(run: MainRun, like: Tables): Promise<Tables> {
  const tables = new Map<string, FoldedTable>()
  for (const name of await run.tableNames()) {
    const known = like.get(name)
    if (known === undefined) continue
    tables.set(name, tableOfLines(await run.lines(name), known.keyColumns, known.kinds))
  }
  return tables
}
