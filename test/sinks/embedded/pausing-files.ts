/** Files that stop at a call until they are let go on: a process that is paused, and not killed. */
import type { Random } from '../../../runtime/random.ts'
import { SimulatedFileSystem } from '../../../testkit/simulated-file-system.ts'

export class PausingFiles {
  readonly files: SimulatedFileSystem
  calls = 0
  #pauseAt = Number.POSITIVE_INFINITY
  #onPause: () => void = () => undefined
  #goOn: () => void = () => undefined

  constructor(random: Random) {
    this.files = new SimulatedFileSystem({ random, onCall: () => this.#call() })
  }

  /** Runs the action up to the call with this number, counted from now. Null when it ends before. */
  async upTo(pauseAt: number, action: () => Promise<unknown>) {
    this.calls = 0
    this.#pauseAt = pauseAt
    const paused = new Promise<'paused'>(resolve => {
      this.#onPause = () => resolve('paused')
    })
    const done = action().then(
      () => 'done',
      (error: unknown) => (error as { code?: string }).code ?? String(error),
    )
    const outcome = await Promise.race([paused, done])
    return outcome === 'paused' ? { goOn: () => this.#goOn(), done } : null
  }

  async #call(): Promise<void> {
    this.calls += 1
    if (this.calls !== this.#pauseAt) return
    await new Promise<void>(resolve => {
      this.#goOn = resolve
      this.#onPause()
    })
  }
}
