/** The part of a configuration that says how a target follows changes of its source's columns. */
import { z } from 'zod'
import type { SchemaChangeKind } from '../model/schema-change.ts'
import { defaultPolicy, schemaChangeKinds, schemaChangeModes } from '../model/schema-change.ts'

const mode = z.enum(schemaChangeModes)

const kindTexts: Readonly<Record<SchemaChangeKind, string>> = {
  'create-table': 'A table that the target does not have.',
  'drop-table': 'A table that the source has no more; `evolve` empties the one of the target.',
  add: 'A new column: old rows get its default.',
  drop: 'A column that the source has no more.',
  rename: 'A column under another name, where the source tells it.',
  widen: 'A column of a wider type.',
  nullable: 'A column that may be null by now.',
  comment: 'Another comment of a column.',
  truncate: 'A table that was emptied.',
}

const modeByKind = z.strictObject(
  Object.fromEntries(
    schemaChangeKinds.map(kind => {
      const text = `${kindTexts[kind]} Absent: \`${defaultPolicy[kind]}\`.`
      return [kind, mode.optional().describe(text)]
    }),
  ) as Record<SchemaChangeKind, z.ZodOptional<typeof mode>>,
)

export const schemaChanges = z
  .union([mode, modeByKind])
  .optional()
  .describe(
    'What becomes of changes of the source’s columns and tables, by kind or one for all (`docs/schema-changes.md`): ' +
      '`evolve` follows, or holds the table back where the warehouse cannot; `try_evolve` goes on without; ' +
      '`lenient` keeps what the source drops; `ignore` leaves the target as it is; `exception` holds the table back.',
  )
