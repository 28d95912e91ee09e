/**
 * The topics of an application as the log has them: those that its sources select, looked up at the start
 * and again from time to time. Topics of a pattern come and go; one that is named must be there. What was
 * deleted and made anew is another topic, whatever its name.
 */
import type { Log, TopicInfo } from '../log/log.ts'
import { SourceError, StateError } from '../model/errors.ts'
import type { Logger } from '../observe/logger.ts'
import { internalTopics, repartitionTopic } from '../topology/internal-topics.ts'
import type { SourceNode, TopicSelection } from '../topology/nodes.ts'
import { hasHop } from '../topology/nodes.ts'
import type { Pipeline, Topology } from '../topology/topology.ts'
import type { Clock } from './clock.ts'
import type { Owners } from './owners.ts'
import { replaced } from './source-gate.ts'

export interface SourceTopicsOptions {
  readonly log: Log
  readonly applicationId: string
  readonly clock: Clock
  readonly logger: Logger
  /** How long a topic that is named may be missing. */
  readonly topicTimeoutMs: number
}

/** Topics of each source, by the source's name. */
export type SelectedTopics = ReadonlyMap<string, readonly TopicInfo[]>

export class SourceTopics {
  readonly #topology: Topology
  readonly #options: SourceTopicsOptions
  readonly #internal: ReadonlySet<string>
  #selected: SelectedTopics = new Map()
  /** Ids of internal topics, once they are made. */
  #internalIds: ReadonlyMap<string, string> = new Map()
  /** Since when a named topic is missing. */
  readonly #missingSinceMs = new Map<string, number>()

  constructor(topology: Topology, options: SourceTopicsOptions) {
    this.#topology = topology
    this.#options = options
    this.#internal = internalTopics(topology, options.applicationId)
  }

  get selected(): SelectedTopics {
    return this.#selected
  }

  isInternal(topic: string): boolean {
    return this.#internal.has(topic)
  }

  infoOf(topic: string): TopicInfo | undefined {
    return [...this.#selected.values()].flat().find(({ name }) => name === topic)
  }

  /** The source that reads the topic. */
  sourceOf(topic: string): SourceNode | undefined {
    return this.#pipelineOf(topic)?.source
  }

  /** Where the topic is read without a hop: the name of the one that it would have; else null. */
  formerHopOf(topic: string): string | null {
    const own = this.#pipelineOf(topic)
    if (own === undefined || hasHop(own.source)) return null
    return repartitionTopic(this.#options.applicationId, own.repartition.name)
  }

  #pipelineOf(topic: string): Pipeline | undefined {
    return this.#topology.pipelines.find(({ source }) =>
      this.#selected.get(source.name)?.some(({ name }) => name === topic),
    )
  }

  /** SourceError `topic-missing` when one that is named is not there. */
  async load(): Promise<SelectedTopics> {
    const topics = await this.#options.log.topics()
    this.#selected = this.#select(topics, name => {
      const known = topics.map(topic => topic.name).join(', ')
      throw missing(name, `there is no topic "${name}" (known are ${known})`)
    })
    return this.#selected
  }

  /**
   * From now on it is noticed when an internal topic is not the same any more. Says which topics of earlier
   * runs are gone; one that is only not named any more is not lost.
   */
  async watch({ layouts }: Owners): Promise<void> {
    const ids = new Map((await this.#options.log.topics()).map(({ name, id }) => [name, id]))
    this.#internalIds = new Map([...ids].filter(([name]) => this.#internal.has(name)))
    for (const topic of layouts.keys()) {
      if (!ids.has(topic)) this.#options.logger.warn('topic.lost', { topic })
    }
  }

  /** Looks again. Resolves to the topics that have more partitions; null when nothing is new. */
  async refresh(): Promise<{ readonly grown: readonly string[] } | null> {
    const before = [...this.#selected.values()].flat()
    if (before.length > 0 && before.every(topic => topic.isFinite)) return null
    const topics = await this.#options.log.topics()
    this.#checkInternal(topics)
    const selected = this.#select(topics, name => this.#stillMissing(name))
    const after = [...selected.values()].flat()
    const grown = this.#compare(before, after)
    const isNew = grown.length > 0 || after.length !== before.length
    const isSame = !isNew && after.every(({ name }) => before.some(one => one.name === name))
    // A broker that comes back may know less than it did.
    if (isSame) return null
    this.#selected = selected
    return { grown }
  }

  #compare(before: readonly TopicInfo[], after: readonly TopicInfo[]): string[] {
    const { logger } = this.#options
    const found = new Map(after.map(topic => [topic.name, topic]))
    const known = new Map(before.map(topic => [topic.name, topic]))
    for (const name of found.keys()) {
      if (!known.has(name)) logger.info('topic.found', { topic: name })
    }
    return before.flatMap(({ name, id, partitions }) => {
      const now = found.get(name)
      if (now === undefined) logger.warn('topic.lost', { topic: name })
      else if (now.id !== id) throw replaced(name)
      return now !== undefined && now.partitions > partitions ? [name] : []
    })
  }

  #select(
    topics: readonly TopicInfo[],
    onMissing: (name: string) => TopicInfo | undefined,
  ): SelectedTopics {
    const candidates = new Map(
      topics.filter(({ name }) => !this.#internal.has(name)).map(topic => [topic.name, topic]),
    )
    for (const name of this.#missingSinceMs.keys()) {
      if (candidates.has(name)) this.#missingSinceMs.delete(name)
    }
    return new Map(
      this.#topology.pipelines.map(({ source }) => [
        source.name,
        selectTopics(source.topics, candidates, onMissing),
      ]),
    )
  }

  /** The topic as it was, while it may come back. */
  #stillMissing(name: string): TopicInfo | undefined {
    const { clock, topicTimeoutMs, logger } = this.#options
    const now = clock.monotonic()
    const since = this.#missingSinceMs.get(name)
    if (since === undefined) {
      this.#missingSinceMs.set(name, now)
      logger.warn('topic.missing', { topic: name })
    } else if (now - since >= topicTimeoutMs) {
      const seconds = Math.round(topicTimeoutMs / 1000)
      throw missing(name, `the topic was deleted, and is missing for ${seconds} s`)
    }
    return this.infoOf(name)
  }

  #checkInternal(topics: readonly TopicInfo[]): void {
    const ids = new Map(topics.map(({ name, id }) => [name, id]))
    for (const [topic, id] of this.#internalIds) {
      const now = ids.get(topic)
      if (now === id) continue
      const what = now === undefined ? 'was deleted' : 'was deleted and made anew'
      throw new StateError(
        'internal-topic-missing',
        `an internal topic ${what} while it was used`,
        {
          context: { topic },
        },
      )
    }
  }
}

/** Those that are selected, in their order. `onMissing` says what stands for one that is not there. */
export function selectTopics(
  selection: TopicSelection,
  topics: ReadonlyMap<string, TopicInfo>,
  onMissing: (name: string) => TopicInfo | undefined,
): readonly TopicInfo[] {
  return selection instanceof RegExp
    ? [...topics.values()].filter(({ name }) => selection.test(name))
    : selection.flatMap(name => topics.get(name) ?? onMissing(name) ?? [])
}

function missing(topic: string, message: string): SourceError {
  return new SourceError('topic-missing', message, { context: { topic } })
}
