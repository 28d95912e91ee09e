// Prints `passed failed` of a vitest report. A run that failed without a failed test, or that ran no
// test or skipped one, counts as a failure.
import { readFileSync } from 'node:fs'

const [path, status] = process.argv.slice(2)
try {
  const report = JSON.parse(readFileSync(path, 'utf8'))
  const skipped = report.numPendingTests + report.numTodoTests
  const isSilent = status !== '0' && report.numFailedTests === 0
  const missing = skipped > 0 || report.numPassedTests === 0 || isSilent ? 1 : 0
  console.log(`${report.numPassedTests} ${report.numFailedTests + missing}`)
} catch {
  console.log('0 1')
}
