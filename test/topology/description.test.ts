import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { followATable } from '../../examples/01-follow-a-table.ts'
import { ownProcessor } from '../../examples/02-own-processor.ts'
import type { ProducerRecord } from '../../log/log.ts'
import { TopologyTestDriver } from '../../testkit/index.ts'
import type { Description } from '../../topology/description.ts'
import { Topology } from '../../topology/topology.ts'
import { pathOf, sourceNode } from './samples.ts'

interface ParsedNode {
  readonly type: string
  readonly linkKind: string
  readonly links: readonly string[]
  readonly successors: string[]
  readonly predecessors: string[]
}

/** Line by line, by the expressions that the viewers of Kafka Streams' topologies use. */
function parse(text: string): ReadonlyMap<string, ReadonlyMap<string, ParsedNode>> {
  const subTopologies = new Map<string, Map<string, ParsedNode>>()
  let nodes = new Map<string, ParsedNode>()
  let node: ParsedNode | undefined
  const names = (list: string): string[] =>
    list
      .split(',')
      .map(name => name.trim())
      .filter(name => name !== 'none')
  for (const line of text.split('\n')) {
    const sub = /Sub-topology: ([0-9]*)/.exec(line)
    const head = /(Source:|Processor:|Sink:)\s+(\S+)\s+\((topics|topic|stores):(.*)\)/.exec(line)
    const next = /-->\s+(.*)$/.exec(line)
    const previous = /<--\s+(.*)$/.exec(line)
    if (sub !== null) {
      nodes = new Map()
      expect(subTopologies.has(sub[1]!)).toBe(false)
      subTopologies.set(sub[1]!, nodes)
    } else if (head !== null) {
      const [, type, name, linkKind, links] = head
      const list = links!.trim().replace(/^\[(.*)\]$/, '$1')
      node = {
        type: type!.slice(0, -1),
        linkKind: linkKind!,
        links: list === '' ? [] : names(list),
        successors: [],
        predecessors: [],
      }
      expect(nodes.has(name!)).toBe(false)
      nodes.set(name!, node)
    } else if (next !== null) node!.successors.push(...names(next[1]!))
    else if (previous !== null) node!.predecessors.push(...names(previous[1]!))
    else expect(['', 'Topologies:']).toContain(line.trim())
  }
  return subTopologies
}

/** What was parsed, in the form in which a description gives it. */
function expectSame(description: Description): void {
  const parsed = parse(description.toString())
  expect([...parsed.keys()]).toEqual(description.subTopologies.map(({ id }) => String(id)))
  for (const { id, nodes } of description.subTopologies) {
    const found = parsed.get(String(id))!
    expect([...found.keys()]).toEqual(nodes.map(({ name }) => name))
    for (const { type, name, linked, successors, predecessors } of nodes) {
      const kinds = { Source: 'topics', Processor: 'stores', Sink: 'topic' }
      expect(found.get(name)).toEqual({
        type,
        linkKind: kinds[type],
        links: linked,
        successors,
        predecessors,
      })
    }
  }
}

describe.each([
  ['01-follow-a-table', followATable],
  ['02-own-processor', ownProcessor],
])('the description of example %s', (_, build) => {
  const topology = build('/warehouse')

  it('is read by the grammar of Kafka Streams’ viewers, with and without an application', () => {
    expectSame(topology.describe())
    expectSame(topology.describe('app'))
  })

  it('has edges that meet: what follows a node has it before it, in its own sub-topology', () => {
    for (const nodes of parse(topology.describe('app').toString()).values()) {
      for (const [name, { type, successors, predecessors }] of nodes) {
        for (const next of successors) expect(nodes.get(next)!.predecessors).toContain(name)
        for (const before of predecessors) expect(nodes.get(before)!.successors).toContain(name)
        expect(predecessors.length === 0).toBe(type === 'Source')
        expect(successors.length === 0).toBe(type === 'Sink')
      }
    }
  })

  it('is joined by internal topics: what one sub-topology writes the next one reads', () => {
    const subs = [...parse(topology.describe('app').toString()).values()]
    expect(subs).toHaveLength(3)
    const linksOf = (index: number, type: string) =>
      [...subs[index]!.values()].filter(node => node.type === type).flatMap(({ links }) => links)
    for (const index of [0, 1]) {
      const [written] = linksOf(index, 'Sink')
      expect(written).toMatch(index === 0 ? /^app-.*-repartition$/ : /^app-.*-staged$/)
      expect(linksOf(index + 1, 'Source')).toEqual([written])
    }
    expect(linksOf(0, 'Source')).toContain('m2.demo.user')
    expect(linksOf(2, 'Sink')).toEqual(['embedded:/warehouse'])
  })

  it('names every node that its builder was given, and each name once', () => {
    const text = topology.describe().toString()
    const names = topology.describe().subTopologies.flatMap(({ nodes }) => nodes.map(n => n.name))
    expect(new Set(names).size).toBe(names.length)
    const { source, transforms, compact, warehouse } = topology.pipelines[0]!
    for (const { name } of [source, ...transforms, compact, warehouse]) {
      expect(names).toContain(name)
      expect(text).toContain(` ${name} (`)
    }
  })
})

describe('a description', () => {
  it('is of the graph that runs: numbers go on over paths, and what is left out is not shown', () => {
    const [first, second] = [pathOf('1', ['t']), pathOf('2')]
    const plain = sourceNode('s2', { dropRepeats: false, topics: ['a', 'b'] })
    const nodes = [...first.nodes, plain, ...second.nodes.slice(1)]
    const description = new Topology(nodes, [...first.edges, ...second.edges]).describe()
    expectSame(description)
    expect(description.subTopologies.map(({ id }) => id)).toEqual([0, 1, 2, 3, 4, 5])
    const text = description.toString()
    expect(text).toContain('s1-drop-repeats')
    expect(text).not.toContain('s2-drop-repeats')
    expect(text).toContain('Source: s2 (topics: [a, b])')
    expect(text).toContain('Sink: r2-sink (topic: r2-repartition)')
  })

  it('shows a pattern as Kafka Streams does: bare', () => {
    const { nodes, edges } = pathOf()
    const source = sourceNode('s', { topics: /^m1\.demo\..*$/ })
    const text = new Topology([source, ...nodes.slice(1)], edges).describe().toString()
    expect(text).toContain('Source: s (topics: ^m1\\.demo\\..*$)')
    expect(parse(text).get('0')!.get('s')).toMatchObject({ links: ['^m1\\.demo\\..*$'] })
  })
})

it('keyed by primary key shows no hop: the window follows the source, and ids stay those of tasks', () => {
  const { nodes, edges } = pathOf('', ['t'])
  const source = sourceNode('s', { keyedBy: 'primary-key' })
  const description = new Topology([source, ...nodes.slice(1)], edges).describe('app')
  expectSame(description)
  expect(description.subTopologies.map(({ id }) => id)).toEqual([0, 2])
  expect(description.subTopologies[0]!.nodes.map(({ name }) => name)).toEqual([
    's',
    's-decode',
    's-drop-repeats',
    't',
    'r-key',
    'c',
    'w-stage',
    'w-staged-sink',
  ])
  expect(description.toString()).not.toContain('repartition')
})

it('order by position shows the store that it needs, and no repeats dropped before the hop', () => {
  const { nodes, edges } = pathOf('')
  const source = sourceNode('s', { ordering: 'position' })
  const text = new Topology([source, ...nodes.slice(1)], edges).describe().toString()
  expect(text).toMatch(/Processor: (\S+) \(stores: \[\1-store, \1-positions\]\)/)
  expect(text).not.toContain('drop-repeats')
})

describe('the examples run', () => {
  interface RecordedLine {
    readonly topic: string
    readonly timestamp: number
    readonly key: string | null
    readonly value: string | null
  }

  async function rowsOf(topology: Topology, tables: readonly string[]) {
    const topics: Record<string, number> = { m2: 1 }
    for (const topic of topology.pipelines[0]!.source.topics as readonly string[]) topics[topic] = 1
    const file = readFileSync(join(import.meta.dirname, '../../examples/shop/events.jsonl.gz'))
    const bytes = (text: string | null) => (text === null ? null : Buffer.from(text))
    const records = gunzipSync(file)
      .toString()
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line) as RecordedLine)
      .filter(({ topic }) => topic in topics)
      .map(
        ({ topic, timestamp: timestampMs, key, value }): ProducerRecord => ({
          topic,
          partition: 0,
          timestampMs,
          key: bytes(key),
          value: bytes(value),
        }),
      )
    const driver = await TopologyTestDriver.open(topology, { topics })
    await driver.pipeInput(records)
    await driver.drain()
    return await Promise.all(tables.map(table => driver.rows(table)))
  }

  it('and the first has the users that the database had', async () => {
    const [users] = await rowsOf(followATable('/warehouse'), ['ods.user'])
    expect(users!.map(({ id, name }) => [id, name])).toEqual([
      [1, '张三'],
      [4, '李四-replaced'],
      [5, '王五'],
      [102, 'Zoë 😀'],
      [901, 'savepoint kept'],
    ])
  })

  it('and the second hides every address and shouts every product', async () => {
    const [users, products] = await rowsOf(ownProcessor('/warehouse'), [
      'demo.user',
      'demo.product',
    ])
    const addresses = users!.map(({ mail }) => mail).filter(one => one !== null)
    expect(addresses.length).toBeGreaterThan(1)
    for (const address of addresses) expect(address).toMatch(/^\*\*\*@/)
    expect(products!.map(({ name }) => name)).toEqual(['手机 📱', 'CABLE', 'BOOK'])
  })
})
