/**
 * A topology in the text form of Kafka Streams (`TopologyDescription`): what draws theirs draws ours.
 * It is derived from the same pipelines that run.
 */
import { positionsStore, repartitionTopic, stagedTopic } from './internal-topics.ts'
import type { TopicSelection } from './nodes.ts'
import { hasHop } from './nodes.ts'
import type { Pipeline } from './topology.ts'

export interface DescribedNode {
  readonly type: 'Source' | 'Processor' | 'Sink'
  readonly name: string
  /** Topics of a source, the topic of a sink, stores of a processor. */
  readonly linked: readonly string[]
  /** The topics are those that match the one text. */
  readonly isPattern?: boolean
  readonly successors: readonly string[]
  readonly predecessors: readonly string[]
}

export interface DescribedSubTopology {
  readonly id: number
  readonly nodes: readonly DescribedNode[]
}

export interface Description {
  readonly subTopologies: readonly DescribedSubTopology[]
  toString(): string
}

export function describePipelines(
  pipelines: readonly Pipeline[],
  applicationId: string | undefined,
): Description {
  const subTopologies = pipelines.flatMap(pipeline => describePipeline(pipeline, applicationId))
  return { subTopologies, toString: () => `Topologies:\n${subTopologies.map(text).join('\n')}` }
}

type Bare = Omit<DescribedNode, 'successors' | 'predecessors'>

function describePipeline(
  pipeline: Pipeline,
  applicationId: string | undefined,
): DescribedSubTopology[] {
  const { source, transforms, repartition, compact, warehouse, firstSubTopology } = pipeline
  // Before the application has a name its topics have no prefix, as in Kafka Streams.
  const topic = (name: (id: string, node: string) => string, node: string): string =>
    applicationId === undefined ? name('', node).slice(1) : name(applicationId, node)
  const hop = topic(repartitionTopic, repartition.name)
  const staged = topic(stagedTopic, warehouse.name)
  const read: Bare[] = [
    { type: 'Source', name: source.name, ...selected(source.topics) },
    processor(`${source.name}-decode`),
    ...(source.dropRepeats && source.ordering === 'log'
      ? [processor(`${source.name}-drop-repeats`)]
      : []),
    ...transforms.map(({ name }) => processor(name)),
    processor(`${repartition.name}-key`),
  ]
  const window: Bare[] = [
    processor(compact.name, [
      `${compact.name}-store`,
      ...(source.ordering === 'position' ? [positionsStore(compact.name)] : []),
    ]),
    processor(`${warehouse.name}-stage`),
    { type: 'Sink', name: `${warehouse.name}-staged-sink`, linked: [staged] },
  ]
  const hopped: (readonly [number, readonly Bare[]])[] = [
    [0, [...read, { type: 'Sink', name: `${repartition.name}-sink`, linked: [hop] }]],
    [1, [{ type: 'Source', name: `${repartition.name}-source`, linked: [hop] }, ...window]],
  ]
  const merge: Bare[] = [
    { type: 'Source', name: `${warehouse.name}-staged-source`, linked: [staged] },
    processor(`${warehouse.name}-merge`),
    { type: 'Sink', name: warehouse.name, linked: [warehouse.sink.name] },
  ]
  // Ids are those of the tasks, which keep them where there is no hop.
  const paths = [
    ...(hasHop(source) ? hopped : [[0, [...read, ...window]] as const]),
    [2, merge] as const,
  ]
  return paths.map(([stage, path]) => ({ id: firstSubTopology + stage, nodes: linkPath(path) }))
}

function processor(name: string, stores: readonly string[] = []): Bare {
  return { type: 'Processor', name, linked: stores }
}

function linkPath(path: readonly Bare[]): DescribedNode[] {
  return path.map((node, index) => ({
    ...node,
    successors: path.slice(index + 1, index + 2).map(({ name }) => name),
    predecessors: path.slice(Math.max(0, index - 1), index).map(({ name }) => name),
  }))
}

function selected(topics: TopicSelection): Pick<Bare, 'linked' | 'isPattern'> {
  return topics instanceof RegExp
    ? { linked: [topics.source], isPattern: true }
    : { linked: topics }
}

function text({ id, nodes }: DescribedSubTopology): string {
  return `   Sub-topology: ${id}\n${nodes.map(nodeText).join('')}`
}

function nodeText(node: DescribedNode): string {
  const { type, name, linked, successors, predecessors } = node
  const kinds = { Source: 'topics', Processor: 'stores', Sink: 'topic' }
  const list = linked.join(', ')
  const links = type === 'Sink' || node.isPattern === true ? list : `[${list}]`
  const lines = [`    ${type}: ${name} (${kinds[type]}: ${links})`]
  if (type !== 'Sink') lines.push(`      --> ${successors.join(', ') || 'none'}`)
  if (type !== 'Source') lines.push(`      <-- ${predecessors.join(', ') || 'none'}`)
  return `${lines.join('\n')}\n`
}
