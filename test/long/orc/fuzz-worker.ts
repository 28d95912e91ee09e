/** Reads a part of the mutations apart from the test, which can then tell that one does not end. */
import { parentPort, workerData } from 'node:worker_threads'
import { fuzz, fuzzFiles } from '../../orc/fuzz.ts'

/** The mutation that is being read, and when that began. */
export interface FuzzProgress {
  readonly number: Int32Array
  readonly startedAtMs: Float64Array
}

export interface FuzzPart {
  readonly from: number
  readonly to: number
  readonly progress: FuzzProgress
}

const { from, to, progress } = workerData as FuzzPart
const report = await fuzz(await fuzzFiles(), from, to, number => {
  progress.number[0] = number
  progress.startedAtMs[0] = Date.now()
})
parentPort!.postMessage(report)
