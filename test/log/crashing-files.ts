/**
 * Simulated files that end the process at a call: the call before or after which it happens never
 * returns, so that nothing of the process runs any more, no cleanup either.
 */
import type { Random } from '../../runtime/random.ts'
import { SimulatedFileSystem } from '../../testkit/simulated-file-system.ts'

export class CrashingFiles {
  readonly files: SimulatedFileSystem
  calls = 0
  #crashAt = Number.POSITIVE_INFINITY
  #onCrash: () => void = () => undefined

  constructor(random: Random) {
    this.files = new SimulatedFileSystem({ random, onCall: () => this.#call() })
  }

  /** The process ends at the call with this number, counted from now. */
  crashAt(call: number): void {
    this.calls = 0
    this.#crashAt = call
  }

  /** True when the action came to its end, false when the process ended in it and the files are torn. */
  async survives(action: () => Promise<void>): Promise<boolean> {
    const crashed = new Promise<false>(resolve => {
      this.#onCrash = () => resolve(false)
    })
    const hasSurvived = await Promise.race([action().then(() => true as const), crashed])
    if (!hasSurvived) {
      this.#crashAt = Number.POSITIVE_INFINITY
      this.files.crash()
    }
    return hasSurvived
  }

  async #call(): Promise<void> {
    this.calls += 1
    if (this.calls !== this.#crashAt) return
    this.#onCrash()
    await new Promise(() => undefined)
  }
}
