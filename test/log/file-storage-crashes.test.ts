import { describe, expect, it } from 'vitest'
import type { FileStorageLimits } from '../../log/file-storage.ts'
import { FileStorage } from '../../log/file-storage.ts'
import { seededRandom } from '../../runtime/random.ts'
import { CrashingFiles } from './crashing-files.ts'
import type { Model } from './storage-program.ts'
import { below, emptyModel, modelText, openModel, randomStep } from './storage-program.ts'

const folder = '/state/log'
/** Small, so that segments and journals roll within a short program. */
const small: FileStorageLimits = { maxSegmentBytes: 800, maxJournalBytes: 1500, maxOpenFiles: 2 }

/** Runs a program that the process may end in, and says what may be there afterwards. */
class Run {
  readonly disk: CrashingFiles
  readonly #program: ReturnType<typeof seededRandom>
  #storage: FileStorage | null = null
  acknowledged: Model = emptyModel
  /** What the step would have left in which the process ended. */
  inDoubt: Model = emptyModel
  #lastStep = ''

  constructor(seed: number, crashAt: number) {
    this.#program = seededRandom(seed)
    // Other randomness than the program's: what a crash tears off is not part of the program.
    this.disk = new CrashingFiles(seededRandom(seed * 1000 + crashAt))
    this.disk.crashAt(crashAt)
  }

  /** Opens the storage, compares it with what must be there, and makes steps. */
  async go(steps: number): Promise<boolean> {
    return await this.disk.survives(async () => {
      const storage = new FileStorage(this.disk.files, folder, small)
      const found = await openModel(storage, seededRandom(1))
      this.#settle(found)
      this.#storage = storage
      for (let step = 0; step < steps; step += 1) await this.#step()
    })
  }

  async close(): Promise<void> {
    await this.#storage!.close()
  }

  async #step(): Promise<void> {
    const step = randomStep(this.#program, this.acknowledged)
    this.#lastStep = step.name
    this.inDoubt = step.after
    await step.run(this.#storage!)
    this.acknowledged = step.after
  }

  /** What was acknowledged is there; what was not is there as a whole, or not at all. */
  #settle(found: Model): void {
    const text = modelText(found)
    if (text === modelText(this.inDoubt)) this.acknowledged = this.inDoubt
    else expect(text, this.#lastStep).toBe(modelText(this.acknowledged))
  }
}

const seeds = Array.from({ length: 12 }, (_, index) => index + 1)

describe('a crash of the local log', () => {
  it.each(seeds)('at every call leaves each transaction whole or absent, seed %i', async seed => {
    const whole = new Run(seed, Number.POSITIVE_INFINITY)
    expect(await whole.go(14)).toBe(true)
    const calls = whole.disk.calls
    expect(calls).toBeGreaterThan(100)
    for (let crashAt = 1; crashAt <= calls; crashAt += 1) {
      const run = new Run(seed, crashAt)
      expect(await run.go(14)).toBe(false)
      // Opening again may end in a crash as well; in the end the log goes on.
      run.disk.crashAt(1 + below(seededRandom(crashAt), 30))
      const hasSurvived = await run.go(2)
      run.disk.crashAt(Number.POSITIVE_INFINITY)
      if (hasSurvived) await run.close()
      expect(await run.go(3)).toBe(true)
      await run.close()
      expect(await run.go(0)).toBe(true)
    }
  })
})
