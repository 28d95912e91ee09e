/** The closed list of error codes. `docs/errors.md` is generated from it. */
import { warehouseErrorCodes } from './warehouse-error-codes.ts'

/**
 * Who must act, in one word, and what each code means and asks for. `configuration` is the operator, in
 * the configuration: the program ends with its own exit code then.
 */
export const errorCodes = {
  // TopologyError: the author of the topology.
  'topology-invalid': {
    acts: 'author',
    means:
      'The topology cannot run: a name used twice, a node without a sink, a cycle, a wrong order.',
    advice: 'Correct the builder calls that the message names.',
  },
  'chain-ended-early': {
    acts: 'author',
    means:
      'An operator in `.pipe(name, …)` completed its stream before Forager did (`take`, `first`).',
    advice: 'Use operators that run for ever; to drop events use `filter`.',
  },
  'chain-asynchronous': {
    acts: 'author',
    means: 'An operator in `.pipe(name, …)` emits or completes later than the call that fed it.',
    advice: 'Use synchronous operators only; what needs to wait belongs outside the chain.',
  },
  // ConfigError: the operator.
  'config-invalid': {
    acts: 'configuration',
    means: 'The configuration file has a problem: an unknown key, a missing or wrong value.',
    advice:
      'Correct the line that the message names; `forager check CONFIG` lists every problem at once.',
  },
  'no-primary-key': {
    acts: 'configuration',
    means:
      'A table that the configuration names exactly has no primary key, and none is configured.',
    advice: 'Give `key: [column, …]` for the table, or remove it from `tables`.',
  },
  'key-column-missing': {
    acts: 'configuration',
    means: 'A column of the configured key, or of the message key, is not in the row.',
    advice:
      'Correct `key` of the table, or the `columns` that leave it out; have the source log whole rows.',
  },
  'partition-column-missing': {
    acts: 'configuration',
    means: 'The column that `partitionBy` names is not in the table, or has no months.',
    advice: 'Correct `partitionBy` of the table and run again: nothing is lost.',
  },
  'replay-needs-position': {
    acts: 'configuration',
    means:
      'A dead letter was to be replayed, and nothing would tell whether it is older than what its row has.',
    advice:
      'Take an incremental snapshot of the rows (docs/bad-messages.md). To replay letters that are kept ' +
      'from now on, set `source.ordering: position` and `onError: dead-letter`.',
  },
  'target-shared': {
    acts: 'configuration',
    means:
      'Two source tables would go to one target, and their rules do not say that they may; or, without the ' +
      'hop (`source.keyedBy`), two topics.',
    advice:
      'Give each its own `to`; or, for parts of one table whose keys do not overlap, say `merge: true` ' +
      'in the rule of each. Topics that share a target need the hop: leave out `source.keyedBy`.',
  },
  'kafka-client-missing': {
    acts: 'configuration',
    means: '`source.client` names an optional client, which is not installed for this Node.',
    advice: '`npm install node-rdkafka@3.6.1` beside Forager, or leave `source.client` out.',
  },
  'kerberos-missing': {
    acts: 'configuration',
    means:
      'Hive is to be reached with Kerberos, and the package for it is not installed for this Node.',
    advice:
      '`npm install kerberos@2.2.2` beside Forager, which needs Kerberos (`libkrb5`) on the machine, or choose ' +
      'another authentication.',
  },
  // DecodeError and ProcessingError: the data; policy `onError`.
  'message-not-json': {
    acts: 'data',
    means: 'A message of a JSON source is not JSON.',
    advice:
      'Check `source.format` (`auto` tells), or look at the message; `onError` decides whether such messages stop ' +
      'the run or are passed.',
  },
  'message-not-avro': {
    acts: 'data',
    means:
      'The key or value of a message is not Avro in Confluent’s wire format, or not of the schema that it names.',
    advice:
      'Check `source.format` and the converters of the connector (Apicurio’s needs `as-confluent: true`, ids of ' +
      'content and no headers); `onError` decides whether it stops the run or is passed.',
  },
  'schema-missing': {
    acts: 'data',
    means: 'The schema registry has no schema with the id that a message names.',
    advice:
      'Check that `source.registry` is the one that the connector writes to, and that the schema was not deleted.',
  },
  'schema-invalid': {
    acts: 'data',
    means: 'A schema of the registry is damaged, or of a kind that rows cannot be read by.',
    advice: 'Mend the schema or leave the topic out; Hive has no recursive types.',
  },
  'message-unknown': {
    acts: 'data',
    means: 'A message is JSON, but of no form that the format knows.',
    advice:
      'Check that `source.format` is what writes the topics (`auto` tells), and `source.topics`.',
  },
  'format-unclear': {
    acts: 'data',
    means:
      'With `format: auto`, the format of a message cannot be told for certain, or is not that of its topic.',
    advice: 'Name the format of the topics: `source.format`; a source has one format.',
  },
  'op-unknown': {
    acts: 'data',
    means: 'The operation of a change event is none of c, u, d, r, t, m.',
    advice: 'Check what writes the topic, and that `source.format` is its format (`auto` tells).',
  },
  'key-missing': {
    acts: 'data',
    means: 'A change event of a table that has a key came without one.',
    advice:
      'State `key` for the table, or have its key sent: Debezium’s `message.key.columns`, Maxwell’s ' +
      '`output_primary_key_columns`; and check transforms that rewrite keys.',
  },
  'row-missing': {
    acts: 'data',
    means:
      'A change event lacks the row that its operation needs: `after`, `before` of a delete, or the ' +
      'whole `before` where the key is a configured one.',
    advice:
      'Check transforms that rewrite values, and that MySQL logs whole rows (`binlog_format=ROW`, ' +
      '`binlog_row_image=FULL`). PostgreSQL needs a replica identity; under a configured key ' +
      '`REPLICA IDENTITY FULL` and `beforeImage: full`.',
  },
  'type-unsupported': {
    acts: 'data',
    means: 'A column has a type that Hive has no equal for.',
    advice: 'Leave the column out (`columns.exclude`) or state a type (`columns.types`).',
  },
  'type-unknown': {
    acts: 'data',
    means:
      'The types of a row are not known: no embedded schema, no schema-change event, none configured.',
    advice:
      'State `columns.types` for the table; or let the connector send schema changes; or, where there are none ' +
      '(PostgreSQL), have types inferred: `source.connector: { include.schema.changes: false }`.',
  },
  'value-invalid': {
    acts: 'data',
    means: 'A value does not fit the type of its column.',
    advice:
      'Check the column: state a type that holds its values under `columns.types`, or leave it out by ' +
      '`columns.exclude`; and `source.connector` where the connector sends no schemas.',
  },
  'value-ambiguous': {
    acts: 'data',
    means: 'A value without a schema can be read in two ways, and the settings do not say which.',
    advice: 'State the connector setting that the message names under `source.connector`.',
  },
  'value-not-sent': {
    acts: 'data',
    means:
      'A changed key came with a column that was not sent, and its message does not say which delete belongs to it, ' +
      'so that the row under the old key cannot be read in time.',
    advice:
      'Use `REPLICA IDENTITY FULL` for the table, or take an incremental snapshot of that key.',
  },
  'truncate-unordered': {
    acts: 'data',
    means:
      'A truncate came through a topic of several partitions, where its order is not known: its message has ' +
      'no position, or there is no hop (`source.keyedBy`).',
    advice:
      'Give the table a source topic of one partition, or leave out `source.keyedBy`; `onError` decides whether such truncates stop the ' +
      'run or are passed.',
  },
  'truncate-shared-target': {
    acts: 'data',
    means:
      'A source table was truncated, or dropped (`drop-table: evolve`), whose rules may send other source tables to the same target.',
    advice:
      'Name the one source table in `from`, or keep the tables apart by `to`; `onError: skip` passes truncates.',
  },
  'changed-key-unordered': {
    acts: 'data',
    means:
      'Changes of one key come through several partitions of a topic, in no order: a configured key does not ' +
      'contain the columns of the message key; or one message changed the key of a row (canal, Maxwell), and ' +
      'came through the partition of the new key alone.',
    advice:
      'Give the table a source topic of one partition (a file: without `repartitionInto`); or, where messages ' +
      'have positions (Maxwell: `output_binlog_position`, `output_xoffset`; canal has none), set ' +
      '`source.ordering: position`. For a configured key also: have Debezium key its messages by these ' +
      'columns (`message.key.columns`), or add the columns of the message key to `key`.',
  },
  'partial-row-unordered': {
    acts: 'data',
    means:
      'A row came without all of its columns, and `ordering: position` puts no older change beneath it.',
    advice:
      'Let the source send whole rows (PostgreSQL: `REPLICA IDENTITY FULL`), or use `ordering: log`.',
  },
  'replay-unordered': {
    acts: 'data',
    means: 'A dead letter that is replayed has no position: it may be older than what its row has.',
    advice: 'Take an incremental snapshot of its row instead.',
  },
  'processor-failed': {
    acts: 'data',
    means: 'A processor of the topology threw.',
    advice: 'Mend the processor that the message names.',
  },
  // SourceError: the source.
  'registry-unreachable': {
    acts: 'operator',
    means: 'The schema registry does not answer, or refuses to.',
    advice:
      'See that it runs and that `source.registry` has its address, path and credentials; nothing was lost, run again.',
  },
  'source-unreadable': {
    acts: 'operator',
    means:
      'The file of recorded events is missing or cannot be read, or a packed one ends in the middle.',
    advice: 'Mend the file and run again; what was already applied stays.',
  },
  'source-line-invalid': {
    acts: 'data',
    means:
      'A line of a file of recorded events is not of the recorded form: the last one, when the file was cut off.',
    advice:
      'Mend the line that the message names; `onError` decides whether it stops the run or is passed.',
  },
  'source-replaced': {
    acts: 'operator',
    means:
      'The topic is another one than the one that was read (deleted and made anew), or the record before the ' +
      'committed offset is not the one that was processed.',
    advice:
      'The topic or file was replaced. Restore it, or start anew: over Kafka with `forager reset CONFIG`, ' +
      'else by removing the state folder and the warehouse.',
  },
  'topic-missing': {
    acts: 'operator',
    means:
      'A topic that the configuration names is not in the cluster, or was deleted while it was read.',
    advice:
      'Correct `source.topics`, or create the topic. What was read of a deleted one is staged and applied; ' +
      'to go on without it, take it out of `source.topics`: its tables stay as they are.',
  },
  'partitions-added': {
    acts: 'operator',
    means:
      'A source topic has more partitions than before: keys moved to other partitions, and reading them at ' +
      'once could bring changes of one row out of order.',
    advice:
      'When every producer writes to the new partitions too (or is stopped), say `source.confirmPartitions: ' +
      '{ TOPIC: COUNT }` with the count that the message names, in the configuration of all instances, and ' +
      'start again: what the old partitions have is read and committed first, then the new ones.',
  },
  'offset-out-of-range': {
    acts: 'operator',
    means: 'The committed offset of a task does not exist in its topic, or is gone.',
    advice: 'Records may be lost. Restore the topic, or start anew from a snapshot.',
  },
  'source-log-restarted': {
    acts: 'operator',
    means:
      'Source positions went back, and what followed was not a repeat: the database log restarted.',
    advice:
      'Set `source.incarnation` to a new name; the events from the stated offset on are then applied.',
  },
  'database-unreachable': {
    acts: 'operator',
    means: 'The database of the source (`source.database`) does not answer, or refuses.',
    advice:
      'Look at the server, its address, user and password, and whether the user may read the tables.',
  },
  'connect-unreachable': {
    acts: 'operator',
    means: 'Kafka Connect (`connectors.url`) does not answer, or refuses.',
    advice:
      'Look at the worker, its address, user and password. What was applied before stays; apply again.',
  },
  'kafka-unreachable': {
    acts: 'operator',
    means: 'No broker answered, or not as it should, for longer than the retry timeout.',
    advice: 'Check the brokers, their addresses and the network; run again, nothing is lost.',
  },
  'kafka-refused': {
    acts: 'operator',
    means:
      'A broker refused a request: not authorized, not authenticated, not supported, too large.',
    advice:
      'Look up the name of the error that the message has; correct credentials, ACLs or limits.',
  },
  'kafka-untrusted': {
    acts: 'operator',
    means:
      'TLS to a broker failed: a certificate is not trusted, has expired or is for another name, the ' +
      'broker wants one of this client, or one side speaks TLS and the other does not.',
    advice:
      'Set `source.tls` where brokers want it: the authority that signed their certificates ' +
      '(`source.tls.ca`), and a certificate of this client where they want one (`source.tls.cert` and ' +
      '`source.tls.key`). Call brokers by the names in their certificates (`source.brokers`).',
  },
  // StateError: stores, the local log.
  'state-locked': {
    acts: 'operator',
    means: 'Another process uses the same state folder, or left its lock there from elsewhere.',
    advice:
      'Stop the other process, or give this one a state folder of its own (`state.path`). A run that is to go on ' +
      'is asked by its HTTP port (`forager status --url`).',
  },
  'state-corrupt': {
    acts: 'operator',
    means: 'A file of the local log, of a store or of the state folder is damaged or missing.',
    advice: 'Restore the state folder and the warehouse from the same moment, or remove both.',
  },
  'task-fenced': {
    acts: 'nobody',
    means: 'Another member took over a task; this one closes it and opens what it is given.',
    advice: 'Nothing, unless it repeats: then two applications share one application id.',
  },
  'hop-undrained': {
    acts: 'operator',
    means:
      'An instance that was configured with the hop still writes to it, and this one runs without it ' +
      '(`source.keyedBy`).',
    advice:
      'Give all instances the same configuration, and start again: what the hop has is staged first. Nothing ' +
      'is lost.',
  },
  'internal-topic-missing': {
    acts: 'operator',
    means: 'An internal topic of a running application was deleted, or made anew by somebody else.',
    advice:
      'What it held is lost, and going on without it would lose or double changes. Stop all instances, start ' +
      'anew with `forager reset CONFIG --execute`, and run again: the source is read from its beginning.',
  },
  'stop-timed-out': {
    acts: 'operator',
    means: 'After it was told to stop, staging the open windows took longer than `stopTimeout`.',
    advice:
      'Nothing is lost: what was not committed is read again. If it repeats, give it a longer `stopTimeout` ' +
      '(and whoever sends SIGKILL more patience), or smaller windows.',
  },
  'group-in-use': {
    acts: 'operator',
    means: 'The application cannot be reset while instances of it run.',
    advice:
      'Stop them; one that was killed is a member until its `sessionTimeout` is over. Then try again.',
  },
  'history-unavailable': {
    acts: 'operator',
    means: 'The record of what runs cannot be read or written.',
    advice:
      'Look at its file or its server (`history`). A file that is damaged, or of another version, may be moved ' +
      'away: a new one is made. A run goes on without it: what it could not write down is counted and said. Data ' +
      'are not concerned.',
  },
  'topic-mismatch': {
    acts: 'operator',
    means: 'An internal topic exists with another number of partitions than the topology asks for.',
    advice:
      'Keep the partition count of a running application; to change it, begin anew with ' +
      '`forager reset`.',
  },
  ...warehouseErrorCodes,
  // InvariantError: us.
  'invariant-violated': {
    acts: 'us',
    means:
      'Forager found itself in a state that must not exist, and stopped before it could do harm.',
    advice: 'Report it with the message and the log. What was committed is safe.',
  },
} as const satisfies Record<string, { acts: string; means: string; advice: string }>
