/**
 * Messages of connectors that were not recorded: built from what their sources (`SourceInfo` and its struct
 * maker, Debezium 3.5) say of them.
 */

const common = { version: '3.5.0.Final', snapshot: 'false', ts_ms: 1_700_000_001_000 }

/** LogMiner. */
export const oracle = {
  ...common,
  connector: 'oracle',
  name: 'o1',
  db: 'ORCLPDB1',
  sequence: null,
  schema: 'SHOP',
  table: 'ORDERS',
  txId: '06000a00a1050000',
  txSeq: 2,
  scn: '8493020',
  commit_scn: '8493021',
  lcr_position: null,
  rs_id: ' 0x0000a3.000186f0.0010 ',
  ssn: 0,
  redo_thread: 1,
  user_name: 'SHOP',
}

export const xstream = {
  ...oracle,
  txSeq: null,
  rs_id: null,
  redo_thread: null,
  lcr_position: '00000000008197ad0000000100000001',
}

export const sqlserver = {
  ...common,
  connector: 'sqlserver',
  name: 's1',
  db: 'shop',
  sequence: null,
  schema: 'dbo',
  table: 'orders',
  change_lsn: '00000027:00000758:0003',
  commit_lsn: '00000027:00000758:0005',
  event_serial_no: 2,
}

export const db2 = {
  ...common,
  connector: 'db2',
  name: 'b1',
  db: 'TESTDB',
  sequence: null,
  schema: 'DB2INST1',
  table: 'ORDERS',
  change_lsn: '00000000:00000000:0000000000abcdef',
  commit_lsn: '00000000:00000000:0000000000abcdf0',
}

/** Of a server before 6.0, which tells no wall clock. */
export const mongodb = {
  ...common,
  connector: 'mongodb',
  name: 'g1',
  db: 'shop',
  sequence: null,
  collection: 'orders',
  ord: 3,
  lsid: null,
  txnNumber: null,
  wallTime: null,
}

export const cassandra = {
  ...common,
  connector: 'cassandra',
  name: 'c1',
  db: 'NULL',
  sequence: null,
  cluster: 'Test Cluster',
  file: 'CommitLog-6-123.log',
  pos: 54,
  keyspace: 'shop',
  table: 'orders',
}

export const vitess = {
  ...common,
  connector: 'vitess',
  name: 'v1',
  db: '',
  keyspace: 'shop',
  table: 'orders',
  shard: '-80',
  vgtid: '[{"keyspace":"shop","shard":"-80","gtid":"MySQL56/a:1-41"}]',
}

export const informix = {
  ...common,
  connector: 'informix',
  name: 'i1',
  db: 'shop',
  schema: 'informix',
  table: 'orders',
  commit_lsn: '123',
  change_lsn: '120',
}
