/** Tables of the embedded warehouse, to be compared. They lie in the order of their keys. */
import { hiveTypeText } from '../../model/column-type.ts'
import { ForagerError } from '../../model/errors.ts'
import { followedFrom } from '../../model/schema-change.ts'
import { nodeFileSystem } from '../../runtime/file-system.ts'
import { openTable } from '../../sinks/embedded/table-reader.ts'
import type { FoundTable, VerifyTarget } from './target.ts'

export class EmbeddedTarget implements VerifyTarget {
  readonly name = 'the warehouse'
  readonly #root: string

  constructor(root: string) {
    this.#root = root
  }

  async find(table: string): Promise<FoundTable | null> {
    try {
      const { schema, rows, commit } = await openTable(nodeFileSystem, this.#root, table)
      const places = new Map(schema.columns.map(({ name }, index) => [name, index]))
      return {
        columns: schema.columns.map(({ name, type }) => ({ name, declared: hiveTypeText(type) })),
        madeColumns: [],
        followed: { ...followedFrom(schema), ...commit.followed },
        hasRanges: false,
        async *rows(columns) {
          const wanted = columns.map(({ name }) => places.get(name)!)
          for await (const part of rows()) {
            yield part.map(({ values }) => wanted.map(place => values[place] ?? null))
          }
        },
      }
    } catch (error) {
      if (error instanceof ForagerError && error.code === 'table-not-found') return null
      throw error
    }
  }

  async close(): Promise<void> {
    // Nothing is open between tables.
  }
}
