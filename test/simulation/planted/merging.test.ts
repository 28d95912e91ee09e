import { mergingFaults } from './merging-faults.ts'
import { testFaults } from './test-faults.ts'

testFaults(mergingFaults)
