/**
 * Bytes in, change events out. A format is one file that implements `Decoder`; it is synchronous and
 * keeps nothing that a crash could lose.
 */
import type { ChangeEvent, LogRecord } from '../model/change-event.ts'
import type { Position } from '../model/position.ts'
import type { StatedType } from '../model/stated-type.ts'
import type { TableSchema } from '../model/table-schema.ts'

/** What a record turned out to be. Only `changes` are rows; the others are recognised and counted. */
export type Decoded =
  | {
      readonly kind: 'changes'
      readonly events: readonly ChangeEvent[]
      /**
       * Whether the key has the columns by which the producer chose the partition: else the changes of
       * a row may come through several, and have no order.
       */
      readonly isKeyOrdered: boolean
      /** Values in rows after a change that are written as another one; absent: none. */
      readonly replaced?: Replaced | undefined
    }
  | { readonly kind: 'unwanted'; readonly table: string }
  | {
      readonly kind:
        | 'tombstone'
        | 'heartbeat'
        | 'transaction'
        | 'message'
        // A change that does not say of which table.
        | 'no-table'
    }
  | {
      readonly kind: 'schema-change'
      /** What it says of whole tables that somebody wants, in its order; often nothing. */
      readonly changes: readonly TableChange[]
    }

/** A table of the source was created, dropped or renamed. */
export interface TableChange {
  readonly type: 'create' | 'drop' | 'rename'
  /** Of a rename the name that the table had: there is none of that name from here on. */
  readonly table: string
  /** Of a rename; null: of none, or nobody wants the table under its new name. */
  readonly renamedTo: string | null
  /**
   * Of a create, and of a rename under the new name: its columns with their types as rows will have them, and
   * its key. Null where that is not certain before there are rows.
   */
  readonly schema: TableSchema | null
  readonly position: Position | null
  /** When the source made the change, by its clock. */
  readonly sourceMs: number
}

/** How many values were replaced, by what they were; see `replaced-values.ts`. */
export interface Replaced {
  readonly zero_date?: number
  readonly infinity?: number
}

export interface Decoder {
  /**
   * Throws DecodeError for a bad message; SchemaPending when the types of its row have to be read from a
   * topic of schema changes first; SchemaAbsent when its schema has to be fetched.
   */
  decode(record: LogRecord): Decoded
  /** Topics of schema changes that the rows seen so far depend on. */
  readonly schemaTopics: ReadonlySet<string>
  /**
   * What the decoder has learned from rows and would have to guess without: it is kept beside the
   * committed offset, so that a record is read the same way again. Short; empty when there is nothing.
   */
  readonly memory: string
  /** Instead of `memory`, where topics have memories of their own. */
  memoryOf?(topic: string): string
  /** Adds what a decoder before had learned. */
  restore(memory: string): void
  /** Takes in a record of one of them. Records come in order, each at least once. */
  learn(record: LogRecord): void
}

/** What the operator says of a table and its source; the decoder asks for it by table. */
export interface TableHints {
  /** Key columns in order, for a table without a primary key or with another one. */
  readonly key?: readonly string[]
  /** Types of columns, where the messages do not tell or should be overruled. */
  readonly types?: Readonly<Record<string, StatedType>>
  /** `full`: `before` is the whole row. By default MySQL and MariaDB are trusted, others are not. */
  readonly beforeImage?: 'full' | 'key'
}

export interface DecoderOptions {
  /** Null: nobody wants the table, its rows are not read. What is said first of a table holds. */
  readonly hintsOf: (table: string) => TableHints | null
  /** Part of every position: a new name makes the source's log a new one. */
  readonly incarnation: string
  /** What the connector was told, by Debezium's names; needed only without embedded schemas. */
  readonly connectorSettings: Readonly<Record<string, string>>
  /**
   * Whether topics of schema changes are read as well where messages have their types themselves: they alone
   * tell that a column was renamed. Then SchemaPending comes from such messages too.
   */
  readonly followsRenames?: boolean
  /** By position a change has to have a whole row. Absent: by the log. */
  readonly ordering?: 'log' | 'position'
  /** Told once of each topic whose format was found out. */
  readonly onRecognised?: (topic: string, format: string) => void
}

export interface Format {
  readonly name: string
  /** Whether events have positions that compare: `ordering: position` needs them. */
  readonly hasPositions: boolean
  /**
   * Whether one message may move a row from one key to another: its partition is that of one of them. Then
   * the hop (`keyedBy`) cannot be left out.
   */
  readonly movesKeys?: boolean
  createDecoder(options: DecoderOptions): Decoder
}

/** What `memoryOf` gives of a topic whose format was found out. */
export interface TopicMemory {
  readonly topic: string
  /** Null: not yet, though a tombstone came, which deletes in some formats. */
  readonly format: string | null
  /** Of the format's own decoder. */
  readonly memory: string
}

export function topicMemoryText(memory: TopicMemory): string {
  return JSON.stringify({ foundOut: memory })
}

/** Null when a format that was named wrote it. */
export function parseTopicMemory(text: string): TopicMemory | null {
  if (!text.startsWith('{')) return null
  const { foundOut } = JSON.parse(text) as { readonly foundOut?: TopicMemory }
  return foundOut ?? null
}

/** The row waits until the schema changes up to its position have been read. */
export class SchemaPending extends Error {
  readonly table: string
  readonly topic: string
  /** What is missing, for the error when it does not come. */
  readonly missing: string
  /** Null: the row cannot be read without it. Else it can be, once this was called. */
  readonly goOn: (() => void) | null
  /** How long it is worth waiting for, once the topic has been read. */
  readonly maxWaitMs: number

  constructor(
    table: string,
    topic: string,
    missing: string,
    without: { readonly goOn: () => void; readonly maxWaitMs: number } | null = null,
  ) {
    super(`${table}: ${missing}`)
    this.name = 'SchemaPending'
    this.table = table
    this.topic = topic
    this.missing = missing
    this.goOn = without?.goOn ?? null
    this.maxWaitMs = without?.maxWaitMs ?? 30_000
  }
}

/** The message's schema is not here yet. */
export class SchemaAbsent extends Error {
  /** Once it resolves, the message can be decoded; its errors are the message's. */
  readonly fetch: () => Promise<void>

  constructor(fetch: () => Promise<void>) {
    super('the schema of the message was not fetched')
    this.name = 'SchemaAbsent'
    this.fetch = fetch
  }
}
