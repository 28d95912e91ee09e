/** What users test their topologies and their own parts with. */
export { type LogConformanceCase, type LogTestContext, logConformance } from './log-conformance.ts'
export { ManualClock } from './manual-clock.ts'
export type {
  StatementWeights,
  TableRows,
  Workload,
  WorkloadColumn,
  WorkloadTable,
} from './simulate/workload.ts'
export type { Replay, SimulatedWarehouse, SimulateOptions, TopologyOf } from './simulate.ts'
export { simulate } from './simulate.ts'
export { SimulatedFileSystem } from './simulated-file-system.ts'
export type { SearchSummary } from './simulation/search.ts'
export { SimulationError } from './simulation/search.ts'
export type { SimulationCase } from './simulation/shrink.ts'
export {
  type StagingFilesConformanceCase,
  stagingFilesConformance,
} from './staging-files-conformance.ts'
export { type StateStoreConformanceCase, stateStoreConformance } from './state-store-conformance.ts'
export type { DriverOptions, DriverRecord } from './topology-test-driver.ts'
export { CrashedError, TopologyTestDriver } from './topology-test-driver.ts'
