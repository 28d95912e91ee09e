/** A body on its way to a DataNode, in parts. Everything that goes wrong is a WebHdfsFailure. */
import type { Exchange, HttpClient } from './exchange.ts'
import { answerFailure, connectionFailure } from './failures.ts'

const maxAnswerBytes = 1024 * 1024

export class Upload {
  readonly #url: URL
  readonly #exchange: Exchange

  /** `bodyBytes` is null when the end is not known yet. */
  constructor(http: HttpClient, url: URL, bodyBytes: number | null, timeoutMs: number) {
    this.#url = url
    this.#exchange = http.start({ method: 'PUT', url, bodyBytes, timeoutMs, maxAnswerBytes })
  }

  async write(bytes: Uint8Array): Promise<void> {
    await this.#guard(() => this.#exchange.write(bytes))
    // It needs no more to know that it fails.
    if (this.#exchange.isAnswered) await this.finish()
  }

  /** Resolves when the DataNode has all of it, and the file is closed. */
  async finish(): Promise<void> {
    const answer = await this.#guard(() => this.#exchange.finish())
    if (answer.status === 201) return
    this.destroy()
    throw answerFailure(answer, this.#url, false)
  }

  destroy(): void {
    this.#exchange.destroy()
  }

  async #guard<T>(action: () => Promise<T>): Promise<T> {
    try {
      return await action()
    } catch (error) {
      this.destroy()
      throw connectionFailure(error, this.#url, false)
    }
  }
}
