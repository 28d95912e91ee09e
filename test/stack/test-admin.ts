/** What operators do to a cluster, and Forager never does: topics deleted. */
import { KafkaClient, PassingError } from '../../log/kafka/client.ts'
import { requests } from '../../log/kafka/protocol.ts'
import type { Clock } from '../../runtime/clock.ts'
import type { Random } from '../../runtime/random.ts'

const requestTimeoutMs = 10_000

export class TestAdmin {
  readonly #client: KafkaClient

  constructor(broker: string, clock: Clock, random: Random) {
    this.#client = new KafkaClient({
      brokers: [broker],
      clientId: 'admin',
      clock,
      random,
      requestTimeoutMs,
      retryTimeoutMs: 60_000,
    })
  }

  /** Resolves when it is gone. */
  async deleteTopic(name: string): Promise<void> {
    const client = this.#client
    await client.retrying('delete a topic', { topic: name }, () =>
      client.control.askAny(requests.deleteTopics, [{ name, topicId: null }], requestTimeoutMs),
    )
    await client.retrying('see a topic gone', { topic: name }, async () => {
      if ((await client.findTopic(name, true)) !== null) throw new PassingError('it is there')
    })
  }

  close(): Promise<void> {
    return this.#client.close()
  }
}
