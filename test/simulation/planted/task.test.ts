import { taskFaults } from './task-faults.ts'
import { testFaults } from './test-faults.ts'

testFaults(taskFaults)
