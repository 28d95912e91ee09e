// Prints `passed failed` of a vitest report, and into the file of failures a line for each that failed. A run
// that failed without a failed test, or that ran no test or skipped one, counts as a failure.
import { appendFileSync, readFileSync } from 'node:fs'

const [step, path, status, failures] = process.argv.slice(2)

function failed(line) {
  appendFileSync(failures, `FAILED: ${step}: ${line}\n`)
}

try {
  const report = JSON.parse(readFileSync(path, 'utf8'))
  const skipped = report.numPendingTests + report.numTodoTests
  const isSilent = status !== '0' && report.numFailedTests === 0
  const missing = skipped > 0 || report.numPassedTests === 0 || isSilent ? 1 : 0
  if (missing > 0)
    failed(`${report.numPassedTests} passed, ${skipped} skipped, exit code ${status}`)
  for (const file of report.testResults) {
    const broken = file.assertionResults.filter(one => one.status === 'failed')
    for (const one of broken)
      failed(`${file.name}: ${one.fullName}\n${one.failureMessages[0] ?? ''}`)
    if (file.status === 'failed' && broken.length === 0) failed(`${file.name}: ${file.message}`)
  }
  console.log(`${report.numPassedTests} ${report.numFailedTests + missing}`)
} catch (error) {
  failed(`there is no report: ${error.message}`)
  console.log('0 1')
}
