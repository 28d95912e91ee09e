/**
 * Settings of a source by which changes or values are lost before Forager sees them. A closed list: each has
 * a line in `docs/verify.md`. An error makes tables wrong or ends a run; a warning loses what it says; a
 * note is worth knowing. `lost` follows a colon, `advice` is a sentence.
 */
interface Entry {
  readonly level: 'error' | 'warning' | 'note'
  /** Who tells. */
  readonly from: 'database' | 'connect' | 'events'
  readonly lost: string
  readonly advice: string
}

const ofDatabase = {
  'binlog-off': {
    level: 'error',
    from: 'database',
    lost: 'no change is logged, and none is sent',
    advice: 'Start the server with `log_bin`.',
  },
  'binlog-format': {
    level: 'error',
    from: 'database',
    lost: 'statements are logged in place of rows, and their changes are not sent',
    advice: 'Set `binlog_format=ROW`.',
  },
  'binlog-row-image': {
    level: 'error',
    from: 'database',
    lost:
      'of an update come the key and what changed; other columns become null (with NOBLOB and Debezium all but ' +
      'BLOB and TEXT, which keep what they have)',
    advice: 'Set `binlog_row_image=FULL`, and take a snapshot of what changed meanwhile.',
  },
  'binlog-partial-json': {
    level: 'error',
    from: 'database',
    lost: 'of a JSON document only the changed part is logged, which no message has as a value',
    advice: 'Set `binlog_row_value_options` to the empty text.',
  },
  'binlog-expires-soon': {
    level: 'note',
    from: 'database',
    lost: 'a connector that stands still for longer than that loses the changes between',
    advice: 'Keep binlogs for days (`binlog_expire_logs_seconds`).',
  },
  'zero-dates': {
    level: 'note',
    from: 'database',
    lost: 'Debezium sends a date with a zero in it as null, and in a NOT NULL column as 1970-01-01',
    advice: 'Set NO_ZERO_DATE and NO_ZERO_IN_DATE in `sql_mode`, or make such columns nullable.',
  },
  'wal-level': {
    level: 'error',
    from: 'database',
    lost: 'no change can be decoded, and none is sent',
    advice: 'Set `wal_level=logical` and restart the server.',
  },
  'slot-limited': {
    level: 'note',
    from: 'database',
    lost: 'a connector that falls behind further than that loses its slot, and the changes between',
    advice: 'Watch `pg_replication_slots.wal_status`, and take a snapshot after a slot was lost.',
  },
  'table-without-key': {
    level: 'error',
    from: 'database',
    lost: 'a run ends at its first change, because rows cannot be told apart',
    advice: 'Name its columns by `key`.',
  },
  'table-passed-over': {
    level: 'warning',
    from: 'database',
    lost: 'it has no target, because rows cannot be told apart',
    advice: 'Name its columns by `key` in a rule of its own.',
  },
  'identity-nothing': {
    level: 'error',
    from: 'database',
    lost: 'deletes and changed keys come without the old row, or the server refuses them',
    advice: 'Alter the table: `REPLICA IDENTITY FULL`, or DEFAULT with a primary key.',
  },
  'identity-lacks-key': {
    level: 'error',
    from: 'database',
    lost: 'a delete or an update does not tell which row it was, and ends the run or deletes none',
    advice:
      'Alter the table: `REPLICA IDENTITY FULL`, with `beforeImage: full` where `key` is stated.',
  },
  'identity-not-full': {
    level: 'error',
    from: 'database',
    lost: 'nulls in `before` are taken for the row as it was: deletes miss the partition of their row, and rows stay',
    advice: 'Alter the table: `REPLICA IDENTITY FULL`, or leave `beforeImage` out.',
  },
  'identity-large-values': {
    level: 'note',
    from: 'database',
    lost:
      'an update leaves out large values that did not change; with a changed key they are out of reach ' +
      'unless the old row is in the same window or the table (`value-not-sent`)',
    advice: 'Alter the table: `REPLICA IDENTITY FULL`, if keys of such rows change.',
  },
  'identity-partial-rows': {
    level: 'error',
    from: 'database',
    lost: 'an update that leaves out a large value is refused under `ordering: position` (`partial-row-unordered`)',
    advice: 'Alter the table: `REPLICA IDENTITY FULL`, or use `ordering: log`.',
  },
  'identity-partitions': {
    level: 'note',
    from: 'database',
    lost: 'nothing, but each change looks for its row in all partitions',
    advice: 'Alter the table: `REPLICA IDENTITY FULL`, and state `beforeImage: full`.',
  },
} as const satisfies Readonly<Record<string, Entry>>

export const sourceProblems = { ...ofDatabase } as const

export type SourceProblem = keyof typeof sourceProblems
