/** Codes of WarehouseError: for the operator, about disk, network, and the server of the warehouse. */
export const warehouseErrorCodes = {
  'warehouse-behind': {
    acts: 'operator',
    means: 'The log says that batches were applied which the warehouse does not have.',
    advice:
      'The warehouse was removed or restored. Restore it; to fill it anew, remove the state folder too, ' +
      'and the source must still have everything.',
  },
  'warehouse-ahead': {
    acts: 'operator',
    means:
      'A table of the warehouse was written through another log than this one, or through a newer copy of it.',
    advice:
      'The state folder was removed, replaced, or restored from an older copy: restore it as it was when ' +
      'the warehouse was written last. Or another application (another `applicationId`) writes these ' +
      'tables: then give this one other targets (`to`) or another `warehouse.path`. Only tables that ' +
      'nobody else writes may be removed, to fill them anew.',
  },
  'warehouse-conflict': {
    acts: 'operator',
    means: 'Another writer committed to the table again and again.',
    advice: 'One application may write a table. Find the other one.',
  },
  'warehouse-unreadable': {
    acts: 'operator',
    means: 'A file of the warehouse is missing or damaged.',
    advice: 'Restore the file that the message names.',
  },
  'warehouse-unreachable': {
    acts: 'operator',
    means: 'The server of the warehouse does not answer, or refuses the session.',
    advice:
      'It is tried again; nothing is lost meanwhile. Look at the server, its address (`warehouse`), and the ' +
      'user and password.',
  },
  'statement-failed': {
    acts: 'operator',
    means: 'The server of the warehouse answered that a statement failed.',
    advice:
      'It is tried again some times. Mend what the server says (permissions, a table that was altered by ' +
      'hand, memory), then `forager resume TABLE` when the table is held back.',
  },
  'statement-unknown': {
    acts: 'operator',
    means:
      'A statement was submitted and not answered: the connection was lost, it took too long, or it was cancelled.',
    advice:
      'It is applied again as a new attempt once nothing of the old one can take effect any more. When it ' +
      'happens often, look at the server, and at `warehouse.statementTimeout`.',
  },
  'table-busy': {
    acts: 'operator',
    means:
      'A statement of somebody else on the table did not end, and one of our own before was not answered.',
    advice:
      'It is tried again. `SHOW TRANSACTIONS` and `SHOW LOCKS` in Hive tell whose it is; `ABORT TRANSACTIONS` ' +
      'ends it.',
  },
  'old-row-missing': {
    acts: 'operator',
    means:
      'A row changed its key and the source did not send all of its values: they are those of the row under the old ' +
      'key, and that is not there any more. Its delete came more than a minute before (another partition of the ' +
      'topic is far behind, or an operator ended one of the two events), or the table never had the row.',
    advice:
      '`forager resume TABLE` goes on with nulls in the columns that were not sent; an incremental snapshot of the ' +
      'row then brings its values. `REPLICA IDENTITY FULL` has PostgreSQL send them.',
  },
  'target-unsuitable': {
    acts: 'operator',
    means: 'The table in Hive cannot take the rows of its source.',
    advice:
      'Alter the table as the message says, or drop it so that it is made anew (then `forager reset`), and ' +
      '`forager resume TABLE`.',
  },
  'name-unsupported': {
    acts: 'configuration',
    means: 'A table or column has a name that Hive does not take.',
    advice: 'Give the target another name (`to`), or leave the column out (`columns.exclude`).',
  },
  'truncate-too-late': {
    acts: 'operator',
    means:
      'A truncate came through a topic of several partitions, so late that rows which are newer than it may be ' +
      'in the table, and their staged files were removed since: the table cannot be emptied without losing them.',
    advice:
      '`forager resume TABLE` empties the table and writes again what is still staged; then let the connector ' +
      'take an incremental snapshot of the table, which brings the rest. When partitions of a topic are often ' +
      'so far apart, raise `warehouse.keepStaged`.',
  },
  'schema-change-refused': {
    acts: 'operator',
    means:
      'The source changed the columns of a table, or truncated it, and the policy says that the target must not ' +
      'follow.',
    advice:
      '`forager plan` shows what the change is. Set another mode for it (`tables[].schemaChanges`), or change ' +
      'the target by hand; then `forager resume` the table: nothing that waited is lost.',
  },
  'schema-change-unsupported': {
    acts: 'operator',
    means: 'The warehouse cannot make a change of the columns that the policy demands.',
    advice:
      'The message says which, and why. Set the mode `try_evolve` or `lenient` for it, or change the target by ' +
      'hand; then `forager resume` the table: nothing that waited is lost.',
  },
  'value-too-wide': {
    acts: 'operator',
    means:
      'A column was not widened, as its policy says, and a value of the source does not fit into it.',
    advice:
      'Set `schemaChanges.widen` to `evolve`, or widen the column by hand; then `forager resume` the table.',
  },
  'schema-incompatible': {
    acts: 'operator',
    means:
      'The key changed, or a column changed to a type that the rows of the table cannot be read as.',
    advice:
      'What is staged keeps its key and types, whatever the configuration says now. Build the tables anew ' +
      'from the source: remove the state folder and the warehouse (over Kafka take a new `applicationId` ' +
      'and an empty warehouse), state a key and types that hold (`key`, `columns.types`), and run again.',
  },
  'partitioning-changed': {
    acts: 'operator',
    means: 'The table is divided into partitions in another way than the configuration says.',
    advice:
      'Set `partitionBy` back and run again: nothing is lost. To divide the table otherwise, build it anew.',
  },
  'storage-failed': {
    acts: 'operator',
    means: 'The file system refused an operation: full, read-only, or no permission.',
    advice: 'Mend the cause and run again; nothing is lost.',
  },
  'storage-unreachable': {
    acts: 'operator',
    means:
      'The servers of the file system that staging lies in did not answer, or gave errors that should pass, ' +
      'for as long as an operation is repeated.',
    advice:
      'See that all of them are well, and can be reached from here: with HDFS the NameNodes and every ' +
      'DataNode, by the names that the NameNodes give them. Then run again; nothing is lost.',
  },
  'table-not-found': {
    acts: 'operator',
    means: 'The warehouse has no table of that name.',
    advice: '`forager tables CONFIG` lists the tables.',
  },
} as const satisfies Record<string, { acts: string; means: string; advice: string }>
