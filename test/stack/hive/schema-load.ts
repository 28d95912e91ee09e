/** Rows that are written to tables while something else is done to them. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Site } from './site.ts'

export class Load {
  readonly #site: Site
  /** Of the row of a number, one transaction each; the numbers begin at 1000. */
  readonly #statements: (number: number) => readonly string[]
  readonly #pauseMs: number
  #next = 1000
  #isOver = false
  readonly #ended: Promise<void>

  constructor(site: Site, statements: (number: number) => readonly string[], pauseMs = 300) {
    this.#site = site
    this.#statements = statements
    this.#pauseMs = pauseMs
    this.#ended = this.#write()
    // Who stops it is told; of a test that failed before, nobody is.
    this.#ended.catch(() => undefined)
  }

  async stop(): Promise<void> {
    this.#isOver = true
    await this.#ended
  }

  async #write(): Promise<void> {
    while (!this.#isOver) {
      const number = this.#next
      this.#next += 1
      await this.#site.sql(...this.#statements(number))
      await sleep(this.#pauseMs)
    }
  }
}

/** By table: why it was held back, by the logs of all instances. */
export function failures(site: Site): Record<string, string> {
  const lines = site.running.instances.flatMap(instance => instance.lines)
  const failed = lines.filter(({ event }) => event === 'table.failed')
  return Object.fromEntries(
    failed.map(({ table, reason }) => [
      (table as string).replace(`${site.schema}.`, ''),
      reason as string,
    ]),
  )
}
