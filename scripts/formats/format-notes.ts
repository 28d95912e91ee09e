/** What `docs/formats.md` says of each format in words. */
import type { FormatName } from '../../cli/formats.ts'

export interface FormatNotes {
  readonly what: string
  readonly example?: string
  readonly config: string
  /** What the producer must do. */
  readonly keys: string
  readonly changedKeys: string
  readonly truncates: string
  readonly unsent: string
  readonly notes: readonly string[]
  /** CPU of decoding, where it was measured. */
  readonly cost?: string
}

const debeziumKeys =
  'Debezium keys each message by the primary key, so that a row has one partition. A connector that spreads rows ' +
  'otherwise needs `ordering: position`; a table without a primary key needs `key` in its rule.'

const debeziumRow = {
  changedKeys: 'taken: a delete and an insert',
  unsent: 'the placeholder; the table keeps what it has',
} as const

const debeziumNames = [
  'A value that was not sent with a changed key is taken from the row under the old one: the delete and the insert are applied together, and a table waits for up to a minute where only one of them has come. `REPLICA IDENTITY FULL` sends it (PostgreSQL).',
  'Renamed columns of MySQL and MariaDB are followed by the topic of schema changes (`include.schema.changes`, named like `topic.prefix`), whether messages have schemas or not: give it `retention.ms=-1`, as what has expired is not known. A renaming is believed where the statement and the columns before and after it agree; tables that change by a copy (gh-ost, pt-online-schema-change) are followed. Without the topic, and of other databases, a renamed column is a new one. A column of rows that the topic does not know (a transform added it) is waited for once, 5 seconds.',
  'Tables that are created, dropped or renamed are told where that topic is among `topics`; a table created with embedded schemas is told without its columns where their types depend on settings of the connector that are not stated (`source.connector`).',
  'Old rows of a column that was added have its default, where that is a value; an expression (`CURRENT_TIMESTAMP`) gives null.',
] as const

const withoutNames =
  'Its schema changes are counted and say nothing else: a column that was renamed is a new one, its old values stay in the old one, and a column that was added is null in old rows.'

const withoutLarge =
  'columns that are missing (`binlog_row_image=NOBLOB`); the table keeps what it has'

const canalNotes = [
  'MySQL has to log whole rows (`binlog_row_image=FULL`; `canal.instance.binlog.image = FULL` has canal check it). With `NOBLOB` the table keeps what it has of a large column that was left out; where the key changes it is that of the row under the old one. It is lost there before any insert of the table was seen.',
  'There are no positions: `gtid` is a set of transactions and `es` has seconds. Every event is in doubt, and repeats are applied again.',
  withoutNames,
  'Truncates need a topic with one partition, as nothing orders them against rows of others (`truncate-unordered`).',
  'A TIMESTAMP is written as the clock of canal’s JVM is: state `connector: { user.timezone: Asia/Shanghai }`; it is UTC otherwise.',
  'Types come with each message. Labels of ENUM and SET are found by their number, bytes are text in ISO 8859-1. What MariaDB alone has (UUID, INET6) canal cannot tell, and it is refused unless it is text.',
] as const

export const formatNotes: Readonly<Record<FormatName, FormatNotes>> = {
  'debezium-json': {
    what: 'Change events of Debezium’s connectors by Kafka Connect’s JSON converter, with and without embedded schemas (`schemas.enable`).',
    example:
      '{"before": null, "after": {"id": 1, "name": "a"}, "op": "c",\n "source": {"connector": "mysql", "name": "db1", "db": "shop", "table": "orders", "file": "mysql-bin.000007", "pos": 1543, "row": 0}}',
    config: 'source: { type: kafka, topics: ["db1.*"], format: debezium-json }',
    keys: debeziumKeys,
    ...debeziumRow,
    truncates: 'taken, ordered by position',
    notes: [
      'Without embedded schemas the types of MySQL’s and MariaDB’s columns come from the topic of schema changes, which has to be among what Forager may read; other databases need `columns.types`.',
      'DDL is taken from schema changes, or from the next row’s schema.',
      ...debeziumNames,
      'All types, and all settings of the connector: [types.md](types.md).',
    ],
  },
  'debezium-avro': {
    what: 'The same events in Avro, in Confluent’s wire format: a zero, the schema’s id in four bytes, the value. Apicurio, Karapace and Redpanda speak the same.',
    config:
      'source:\n  type: kafka\n  topics: ["db1.*"]\n  format: debezium-avro\n  registry: { type: confluent, url: "http://registry:8081" }',
    keys: debeziumKeys,
    ...debeziumRow,
    truncates: 'taken, ordered by position',
    notes: [
      ...debeziumNames,
      'Each message names its schema, so that nothing has to be stated beside what the schema does not say.',
      'A registry is asked once for an id, so that a run goes on without it until a new one comes; then it is waited for (`registry.retryTimeout`), and the run stops with `registry-unreachable`: nothing is passed, and a restart goes on from there. An id that it does not have is a bad message (`schema-missing`).',
      'The connector needs the registry too for each new schema, those of heartbeats and transactions among them; its task fails without it, and has to be restarted.',
      'Names of columns are as Avro allows them where the connector adjusts them (`field.name.adjustment.mode`): blanks become `_`.',
    ],
  },
  'debezium-flat': {
    what: 'Rows that Debezium’s transform `ExtractNewRecordState` flattened, in JSON: of a change is left the row after it, with the fields that were added.',
    example:
      '{"id": 1, "name": "a", "__deleted": "false", "__op": "c", "__db": "shop", "__table": "orders"}',
    config:
      'source:\n  type: kafka\n  topics: ["db1.shop.*"]\n  format: debezium-flat\n  connector: { add.fields: "op,db,table,source.ts_ms,lsn" }',
    keys: debeziumKeys,
    changedKeys: 'taken: a delete and an insert',
    truncates: 'do not come',
    unsent: debeziumRow.unsent,
    notes: [
      ...debeziumNames,
      'Deletes are rows (`delete.tombstone.handling.mode: rewrite`) or tombstones. With `drop` deleted rows stay: no message tells.',
      'Positions are there where the transform was told to add them (`add.fields: file,pos` or `lsn`); without them repeats are applied again.',
      'The table is told by `__db`, `__schema` and `__table`, else by the topic’s name, `<prefix>.<database>.<table>`.',
      'There is no row before: nothing is known of it.',
    ],
  },
  'canal-json': {
    what: 'Flat messages of canal (`canal.mq.flatMessage=true`): a change of a table with all of its rows, values as text.',
    example:
      '{"database": "shop", "table": "orders", "type": "UPDATE", "isDdl": false, "es": 1700000000000, "pkNames": ["id"],\n "mysqlType": {"id": "bigint(20)", "n": "int(11)"}, "data": [{"id": "1", "n": "2"}], "old": [{"n": "1"}]}',
    config:
      'source:\n  type: kafka\n  topics: [canal]\n  format: canal-json\n  connector: { user.timezone: Asia/Shanghai }',
    keys: 'One partition, or rows by their primary keys: `canal.mq.partitionHash=.*\\\\..*:$pk$`. By that hash a changed key comes through the partition of the new one alone: it is refused there, and taken through one partition. `keyedBy` cannot be stated.',
    changedKeys: 'taken through one partition',
    truncates: 'taken through one partition',
    unsent: withoutLarge,
    notes: canalNotes,
    cost: 'Microseconds of CPU a row of seven columns (`node bench/canal.ts`, on a machine with other work): in messages of 20 rows or more 2.0 to 2.3 for inserts and 3.0 for updates; in messages of one row 4.6 and 5.6, of which `JSON.parse` alone takes 2.',
  },
  'canal-rows': {
    what: 'Changes as a client of canal writes them, a row a message.',
    example:
      '{"table": "shop.orders", "binlog_id": 7, "event_type": "UPDATE", "exe_time": 1700000000000,\n "cols": [{"col": "id", "val": "1", "type": "bigint(20)", "update": false}, {"col": "n", "val": "2", "type": "int(11)", "update": true}]}',
    config: 'source: { type: kafka, topics: [canal], format: canal-rows }',
    keys: 'A record’s key is a JSON object of the key’s columns, `{"id": "1"}`, and chooses the partition; else state `key` for the table.',
    changedKeys: 'refused',
    truncates: 'taken through one partition',
    unsent: withoutLarge,
    notes: [
      ...canalNotes,
      '`binlog_id` is no position: nothing says that it grows, or that two rows have two.',
    ],
  },
  'maxwell-json': {
    what: 'Maxwell’s JSON, a row a message.',
    example:
      '{"database": "shop", "table": "orders", "type": "update", "ts": 1700000000, "xid": 7, "commit": true, "position": "mysql-bin.000001:154",\n "primary_key_columns": ["id"], "data": {"id": 1, "n": 2}, "old": {"n": 1}}',
    config:
      'source:\n  type: kafka\n  topics: [maxwell]\n  format: maxwell-json\n  connector: { ddl_kafka_topic: maxwell_ddl }',
    keys: 'Have Maxwell partition by primary key (`producer_partition_by=primary_key`) and send its columns (`output_primary_key_columns=true`). A changed key comes through the partition of the new one: over several partitions `ordering: position` orders it.',
    changedKeys: 'taken through one partition, or by position',
    truncates: 'do not come',
    unsent: withoutLarge,
    notes: [
      'Renamed columns are followed where the topic of schema changes is named (`ddl_kafka_topic`); else a renamed column is a new one. It tells no defaults: a column that was added is null in old rows.',
      'MySQL has to log whole rows (`binlog_row_image=FULL`). Of a column that an update left out the table keeps what it has, once a row of the table was seen inserted; before that, and with `ordering: position`, it becomes null. Where the key changes it is that of the row under the old one.',
      'Where Maxwell sends no nulls (`output_nulls=false`) state `connector: { output_nulls: "false" }`: a column that is missing is null then. A dropped column is one that is missing, until a row is inserted or a schema change tells (`ddl_kafka_topic`).',
      'Positions are there with `output_binlog_position=true`, rows of one statement apart with `output_xoffset=true`; rows of a bootstrap have none, and are rows as they are now.',
      'Types come from `columns.types`, from the topic of schema changes (`output_ddl=true`, `ddl_kafka_topic`), and else from values; a column of the key whose values change their kind needs its type stated.',
      'A table that is truncated keeps its rows: Maxwell does not say it.',
    ],
  },
  auto: {
    what: 'Finds out which of these formats each topic has, by its first messages, and says so: the log line `format.recognised`, `forager status`, a line at the end of a run, the counter `forager_topics_recognised_total`.',
    config: 'source: { type: kafka, topics: ["db1.*"], format: auto }',
    keys: 'As the format that is found asks for. What depends on a format needs it named: `ordering: position` and `keyedBy`.',
    changedKeys: 'as the format found',
    truncates: 'as the format found',
    unsent: 'as the format found',
    notes: [
      'A format is recognised by what it alone writes. Tombstones, heartbeats, frames of transactions and schema changes decide nothing.',
      'What cannot be told for certain is an error that names the candidates (`format-unclear`): a flattened row without `__deleted` and `__op` may be anything; so may a tombstone that comes first, if the rows turn out to be flattened.',
      'What was recognised is kept beside the offset. A message of another format in the same topic is an error that names both.',
      'Avro is recognised where a `registry` is configured that has the schema.',
      'An application that ran with `auto` goes on with the format that was found, when it is named. The other way it goes on unless something was learned meanwhile, which `config-invalid` says.',
    ],
  },
}
