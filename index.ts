/**
 * Forager's public API. A topology is built with `StreamsBuilder` and run with `Streams`; `forager/orc`
 * is the ORC library alone, `forager/testkit` what topologies are tested with.
 */

export type { AutoOptions } from './formats/auto.ts'
export { auto } from './formats/auto.ts'
export type { ConfluentRegistryOptions } from './formats/avro/confluent-registry.ts'
export { ConfluentRegistry } from './formats/avro/confluent-registry.ts'
export type { RegisteredSchema, SchemaRegistry } from './formats/avro/schema-registry.ts'
export { FileRegistry } from './formats/avro/schema-registry.ts'
export { canalJson } from './formats/canal/canal-json.ts'
export { canalRows } from './formats/canal/canal-rows.ts'
export { debeziumAvro } from './formats/debezium/debezium-avro.ts'
export { debeziumFlat } from './formats/debezium/debezium-flat.ts'
export { debeziumJson } from './formats/debezium/debezium-json.ts'
export type {
  Decoded,
  Decoder,
  DecoderOptions,
  Format,
  TableChange,
  TableHints,
} from './formats/decoder.ts'
export { SchemaAbsent, SchemaPending } from './formats/decoder.ts'
export { maxwellJson } from './formats/maxwell/maxwell-json.ts'
export { EmbeddedLog } from './log/embedded-log.ts'
export { FileStorage } from './log/file-storage.ts'
export type * from './log/log.ts'
export { MemoryStorage } from './log/log-storage.ts'
export { openRecordedSource } from './log/recorded-source.ts'
export type {
  ChangeEvent,
  ChangeOp,
  EventBatch,
  LogHeader,
  LogRecord,
  Origin,
} from './model/change-event.ts'
export type { ColumnType } from './model/column-type.ts'
export { columnTypeText, hiveTypeText, parseColumnType } from './model/column-type.ts'
export type { CrashPoint } from './model/crash-points.ts'
export { crashPoints, serverPoints } from './model/crash-points.ts'
export type { DeadLetter } from './model/dead-letter.ts'
export { plainEvent } from './model/encoded-event.ts'
export type { ErrorCode, ErrorContext } from './model/errors.ts'
export {
  ConfigError,
  DecodeError,
  errorCodes,
  ForagerError,
  InvariantError,
  ProcessingError,
  SourceError,
  StateError,
  TopologyError,
  WarehouseError,
} from './model/errors.ts'
export type { Leaves, NetChange } from './model/net-change.ts'
export type { PartitionBy } from './model/partition-by.ts'
export { parsePartitionBy } from './model/partition-by.ts'
export type { Position } from './model/position.ts'
export type { ApplyReceipt, StagedBatch } from './model/staged-batch.ts'
export type { Column, TableSchema } from './model/table-schema.ts'
export type { Row, Value } from './model/value.ts'
export type { Logger } from './observe/logger.ts'
export { jsonLogger, silentLogger, textLogger } from './observe/logger.ts'
export type { Metrics } from './observe/metrics.ts'
export { CounterRegistry, counters } from './observe/metrics.ts'
export type { WindowLimits } from './processors/compact.ts'
export type { Processor, ProcessorContext, ProcessorSupplier } from './processors/processor.ts'
export type { SeenTable, TableRule, TargetTable } from './processors/route-tables.ts'
export { TableRouter } from './processors/route-tables.ts'
export type { Clock } from './runtime/clock.ts'
export { systemClock } from './runtime/clock.ts'
export type { ReplayOptions } from './runtime/dead-letters.ts'
export { readDeadLetters, replayDeadLetters, whyNotReplayable } from './runtime/dead-letters.ts'
export type { FileHandle, FileSystem } from './runtime/file-system.ts'
export { nodeFileSystem } from './runtime/file-system.ts'
export type { Random } from './runtime/random.ts'
export { seededRandom, systemRandom } from './runtime/random.ts'
export type { StreamsOptions } from './runtime/streams.ts'
export { Streams } from './runtime/streams.ts'
export type { StreamsEvent, StreamsState } from './runtime/streams-events.ts'
export type { EmbeddedOptions } from './sinks/embedded/embedded.ts'
export { embedded } from './sinks/embedded/embedded.ts'
export { listTables } from './sinks/embedded/table-folders.ts'
export type { EmbeddedTable } from './sinks/embedded/table-reader.ts'
export { openTable } from './sinks/embedded/table-reader.ts'
export type { HiveOptions } from './sinks/hive/hive.ts'
export { hive } from './sinks/hive/hive.ts'
export type { HiveAuth, HiveConnectionOptions, HiveTlsOptions } from './sinks/hive/hive-options.ts'
export { localStagingFiles } from './sinks/local-staging-files.ts'
export type { Staging } from './sinks/staging.ts'
export type { StagingFiles } from './sinks/staging-files.ts'
export type { Warehouse, WarehouseSink } from './sinks/warehouse.ts'
export type { WebHdfsOptions } from './sinks/webhdfs/webhdfs-staging-files.ts'
export { WebHdfsStagingFiles } from './sinks/webhdfs/webhdfs-staging-files.ts'
export { inMemory } from './state/memory-store.ts'
export { persistent } from './state/persistent-store.ts'
export type { StateStore, StateStoreSupplier } from './state/state-store.ts'
export type { Description } from './topology/description.ts'
export type { ChangeStream, CompactedStream, KeyedStream } from './topology/streams-builder.ts'
export { StreamsBuilder } from './topology/streams-builder.ts'
export { Topology } from './topology/topology.ts'
