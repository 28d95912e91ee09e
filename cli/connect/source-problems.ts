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
    lost:
      'of a row before come 0, the empty text or nothing in these columns: a delete takes another row or none, or ' +
      'ends the run (`row-missing`)',
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
      'an update leaves out large values that did not change; with a changed key they are read under the old one, ' +
      'for which the table waits until both halves have come',
    advice: 'Alter the table: `REPLICA IDENTITY FULL`, if keys of such rows change often.',
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

const ofConnect = {
  'connector-none': {
    level: 'warning',
    from: 'connect',
    lost: 'none of them writes to a topic of the source, so that no settings were looked at',
    advice: 'Compare `source.topics` with `topic.prefix` of the connector.',
  },
  'connector-not-running': {
    level: 'warning',
    from: 'connect',
    lost: 'no changes come, and the database may remove its log meanwhile',
    advice: 'Restart it.',
  },
  'connector-format': {
    level: 'error',
    from: 'connect',
    lost: 'messages are not of the format that is configured, and every one is a bad message',
    advice: 'Set `source.format` to what the connector writes.',
  },
  'converter-unknown': {
    level: 'note',
    from: 'connect',
    lost: 'it is the worker’s, which Connect does not tell, and was not looked at',
    advice: 'Set it and its `replace.null.with.default=false` in the connector.',
  },
  'connector-types': {
    level: 'warning',
    from: 'connect',
    lost: 'types are inferred from values: decimals, times and bytes may be taken for text or whole numbers',
    advice: 'Set `value.converter.schemas.enable=true`, or state `columns.types` of every rule.',
  },
  'setting-differs': {
    level: 'error',
    from: 'connect',
    lost: 'values are read in another form than they are written',
    advice: 'State it as the connector has it.',
  },
  'setting-unstated': {
    level: 'error',
    from: 'connect',
    lost: 'it is taken for the default: values are read in another form, or what stands for them is taken for data',
    advice: 'State it under `source.connector` as the connector has it.',
  },
  'operations-skipped': {
    level: 'error',
    from: 'connect',
    lost: 'these changes (c, u, d: insert, update, delete) are not sent, and the tables do not get them',
    advice: 'Set `skipped.operations=none`, and take a snapshot.',
  },
  'truncates-skipped': {
    level: 'warning',
    from: 'connect',
    lost: 'a truncate is not sent, and the rows stay in the target',
    advice: 'Set `skipped.operations=none`.',
  },
  'failures-passed': {
    level: 'warning',
    from: 'connect',
    lost: 'a change that the connector cannot read or convert is passed over, and only its log tells',
    advice: 'Leave it at the default, which stops the connector.',
  },
  'snapshot-without-rows': {
    level: 'warning',
    from: 'connect',
    lost: 'rows that did not change since the connector began are not sent',
    advice: 'Set `snapshot.mode=initial`, or send an incremental snapshot by a signal.',
  },
  'snapshot-without-changes': {
    level: 'warning',
    from: 'connect',
    lost: 'after the snapshot no changes come',
    advice: 'Set `snapshot.mode=initial`.',
  },
  'slot-dropped': {
    level: 'warning',
    from: 'connect',
    lost: 'changes between a stop of the connector and its next start are not sent',
    advice: 'Set `slot.drop.on.stop=false`.',
  },
  'topics-by-broker': {
    level: 'note',
    from: 'connect',
    lost: 'the brokers’ defaults decide how long changes are kept and over how many partitions',
    advice:
      'Make the topics yourself, or set `topic.creation.default.*` with a retention beyond your longest outage.',
  },
  'nulls-replaced': {
    level: 'warning',
    from: 'connect',
    lost: 'a null in a column with a DEFAULT is sent as that default, and nothing in the message tells',
    advice:
      'Set `value.converter.replace.null.with.default=false` (JSON, Kafka 3.6 or newer) or ' +
      '`value.converter.ignore.default.for.nullables=true` (Confluent’s Avro); Apicurio’s Avro converter has no ' +
      'such setting.',
  },
  'decimals-as-doubles': {
    level: 'warning',
    from: 'connect',
    lost: 'digits of decimals beyond the 15th are lost',
    advice: 'Set `decimal.handling.mode=precise` or `string`.',
  },
  'times-cut': {
    level: 'warning',
    from: 'connect',
    lost: 'times are cut to milliseconds',
    advice: 'Set `time.precision.mode=adaptive_time_microseconds`, or `adaptive` for PostgreSQL.',
  },
  'unsigned-as-long': {
    level: 'note',
    from: 'connect',
    lost: 'an unsigned BIGINT from 2^63 on arrives as a negative number',
    advice:
      'State `columns.types: { column: ubigint }`, or set `bigint.unsigned.handling.mode=precise`.',
  },
  'years-adjusted': {
    level: 'note',
    from: 'connect',
    lost: 'years before 100 become years of this century or the last',
    advice: 'Set `enable.time.adjuster=false`.',
  },
  'values-masked': {
    level: 'warning',
    from: 'connect',
    lost: 'the column has masked or cut values in the target',
    advice: 'Leave it out if that is not meant, above all for columns of a key.',
  },
  'columns-left-out': {
    level: 'note',
    from: 'connect',
    lost: 'the target does not get the other columns',
    advice: 'Leave it out if that is not meant.',
  },
  'keys-changed': {
    level: 'warning',
    from: 'connect',
    lost: 'rows with the same columns there are taken for one row, where they are not the primary key',
    advice: 'Leave it out, or name the primary key’s columns by `key` in the rule.',
  },
  'messages-transformed': {
    level: 'warning',
    from: 'connect',
    lost: 'it may drop or change messages, and nothing tells afterwards',
    advice: 'Leave it out, or see that it passes every change as it is.',
  },
  'deletes-dropped': {
    level: 'error',
    from: 'connect',
    lost: 'deletes are not sent, and the rows stay in the target',
    advice: 'Set `delete.tombstone.handling.mode=rewrite-with-tombstone`.',
  },
  'positions-left-out': {
    level: 'warning',
    from: 'connect',
    lost: 'what the connector sends again after a crash is not recognised, and a row goes back for a while',
    advice:
      'Add them: `add.fields=op,table,source.…` (MySQL `server_id,file,pos,row`, PostgreSQL `lsn`).',
  },
} as const satisfies Readonly<Record<string, Entry>>

const ofEvents = {
  'events-format': {
    level: 'error',
    from: 'events',
    lost: 'every one is a bad message',
    advice: 'Set `source.format` to that, or leave the topic out.',
  },
  'events-undecodable': {
    level: 'warning',
    from: 'events',
    lost: 'a run stops there, or passes it as `onError` says',
    advice: 'See docs/errors.md for the code.',
  },
  'events-without-types': {
    level: 'error',
    from: 'events',
    lost: 'a run waits for it and ends',
    advice:
      'Let the connector send schemas (`value.converter.schemas.enable=true`), or state `columns.types` and ' +
      '`source.connector: { include.schema.changes: "false" }`.',
  },
  'events-without-key': {
    level: 'warning',
    from: 'events',
    lost: 'the table is passed over, because rows cannot be told apart',
    advice: 'Name its columns by `key` in a rule of its own.',
  },
  'named-events-without-key': {
    level: 'error',
    from: 'events',
    lost: 'a run ends at its first change, because rows cannot be told apart',
    advice: 'Name its columns by `key`.',
  },
  'events-spread': {
    level: 'error',
    from: 'events',
    lost: 'changes of a row come through several partitions and have no order, and a run ends',
    advice: 'Let `key` have the columns of the messages’ keys, or set `ordering: position`.',
  },
  'events-without-position': {
    level: 'warning',
    from: 'events',
    lost: 'what the producer sends again after a crash is not recognised, and a row goes back for a while',
    advice:
      'Maxwell: `output_binlog_position=true` and `output_xoffset=true`. Flattened rows: add the fields of the ' +
      'place to `add.fields`.',
  },
  'events-without-number': {
    level: 'warning',
    from: 'events',
    lost: 'changes of a row in one event of the binlog share a place, and one of them may count as sent again',
    advice: 'Set `output_xoffset=true` in Maxwell.',
  },
  'events-partial': {
    level: 'warning',
    from: 'events',
    lost: 'columns that did not change were not logged, and become null or stay as they were',
    advice: 'Set `binlog_row_image=FULL`, and take a snapshot of what changed meanwhile.',
  },
  'events-without-before': {
    level: 'note',
    from: 'events',
    lost: 'large values that did not change are left out, and with `partitionBy` each change looks for its row in all partitions',
    advice:
      'Alter the table: `REPLICA IDENTITY FULL` (PostgreSQL), and state `beforeImage: full`, if that matters.',
  },
  'events-not-whole': {
    level: 'error',
    from: 'events',
    lost: 'its rule states `beforeImage: full`: deletes miss the partition of their row, and rows stay',
    advice: 'Alter the table: `REPLICA IDENTITY FULL` (PostgreSQL), or leave `beforeImage` out.',
  },
  'events-defaults': {
    level: 'warning',
    from: 'events',
    lost: 'a null there may have been sent as the default, and nothing in the message tells',
    advice: 'Set `value.converter.replace.null.with.default=false` (Kafka 3.6 or newer).',
  },
  'events-of-snapshot': {
    level: 'note',
    from: 'events',
    lost: 'nothing changed since, or the connector ended with its snapshot',
    advice: 'Look whether it runs and `snapshot.mode` is `initial`.',
  },
  'events-in-one-partition': {
    level: 'note',
    from: 'events',
    lost: 'nothing, but one instance does all of the work',
    advice:
      'Set `producer_partition_by=primary_key` in Maxwell, before the topic has changes of the tables.',
  },
} as const satisfies Readonly<Record<string, Entry>>

export const sourceProblems = { ...ofDatabase, ...ofConnect, ...ofEvents } as const

export type SourceProblem = keyof typeof sourceProblems
