/** ORC files for Node: a writer and a reader. The format is told in `docs/orc.md`. */
export { BufferSink, BufferSource } from './buffers.ts'
export type { OrcCompression } from './compression.ts'
export { describeOrcFile, type OrcFileDescription } from './describe.ts'
export { OrcError, type OrcErrorCode, orcErrorCodes } from './errors.ts'
export type { MatchBy } from './evolution.ts'
export type { OrcCalendar } from './file-tail.ts'
export type { OrcPredicate } from './predicate.ts'
export { OrcReader, type OrcStripe } from './reader.ts'
export type { OrcBatchesOptions, OrcReaderOptions, OrcRowsOptions } from './reader-options.ts'
export type { ColumnStatistics, StatisticsDetails } from './statistics.ts'
export type {
  ColumnEncoding,
  RowGroup,
  StreamInformation,
  StripeFooter,
} from './stripe-messages.ts'
export type { OrcSource } from './stripe-reader.ts'
export { orcTypeText, parseOrcType } from './type-text.ts'
export type {
  OrcColumn,
  OrcField,
  OrcStructType,
  OrcType,
  OrcTypeKind,
  OrcUnionValue,
  OrcValue,
  TimestampUnit,
} from './types.ts'
export type {
  BooleanVector,
  BytesVector,
  DecimalVector,
  DictionaryEntries,
  DoubleVector,
  IntegerVector,
  ListVector,
  LongVector,
  MapVector,
  OrcBatch,
  OrcVector,
  StructVector,
  TimestampVector,
  UnionVector,
} from './vectors.ts'
export { type OrcSink, OrcWriter, type OrcWriterOptions } from './writer.ts'
