import { readingFaults } from './reading-faults.ts'
import { testFaults } from './test-faults.ts'

testFaults(readingFaults)
