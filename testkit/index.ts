/** What users test their topologies and their own parts with. */
export { ManualClock } from './manual-clock.ts'
export { SimulatedFileSystem } from './simulated-file-system.ts'
export type { DriverOptions } from './topology-test-driver.ts'
export { CrashedError, TopologyTestDriver } from './topology-test-driver.ts'
