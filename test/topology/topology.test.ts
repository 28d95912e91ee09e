import { describe, expect, it } from 'vitest'
import { debeziumJson } from '../../formats/debezium/debezium-json.ts'
import { TopologyError } from '../../model/errors.ts'
import type { Edge, TopologyNode } from '../../topology/nodes.ts'
import { Topology, validate } from '../../topology/topology.ts'
import {
  compactNode,
  pathOf,
  repartitionNode,
  sourceNode,
  transformNode,
  warehouseNode,
} from './samples.ts'

const edge = (from: string, to: string): Edge => ({ from, to })

/** The problems of a whole path after something was done to it. */
function problems(
  change: (nodes: TopologyNode[], edges: Edge[]) => void,
  transforms: readonly string[] = [],
): readonly string[] {
  const path = pathOf('', transforms)
  const nodes: TopologyNode[] = [...path.nodes]
  const edges = [...path.edges]
  expect(validate(nodes, edges)).toEqual([])
  change(nodes, edges)
  const found = validate(nodes, edges)
  // A topology that has problems is never made.
  if (found.length > 0) {
    expect(() => new Topology(nodes, edges)).toThrow(TopologyError)
    for (const problem of found) expect(() => new Topology(nodes, edges)).toThrow(problem)
  }
  return found
}

const drop = <T>(items: T[], test: (item: T) => boolean): void => {
  items.splice(items.findIndex(test), 1)
}

describe('a graph that can run', () => {
  it('is one path from each source, cut into three sub-topologies', () => {
    const first = pathOf('1', ['t1', 't2'])
    const second = pathOf('2')
    const topology = new Topology(
      [...first.nodes, ...second.nodes],
      [...second.edges, ...first.edges],
    )
    expect(topology.pipelines.map(({ firstSubTopology }) => firstSubTopology)).toEqual([0, 3])
    const [a, b] = topology.pipelines
    expect(a!.transforms.map(({ name }) => name)).toEqual(['t1', 't2'])
    expect([a!.source.name, a!.repartition.name, a!.compact.name, a!.warehouse.name]).toEqual([
      's1',
      'r1',
      'c1',
      'w1',
    ])
    expect(b!.transforms).toEqual([])
  })
})

describe('a graph that cannot run is refused:', () => {
  it('without a source', () => {
    expect(validate([], [])).toEqual(['there is no source'])
  })

  it('a name used twice, over paths too', () => {
    expect(
      problems((nodes, edges) => {
        nodes.push(transformNode('c'))
        edges.push(edge('s', 'c'))
      }),
    ).toContain('the name "c" is used twice')
  })

  it('a name that a description gives to a part of another node', () => {
    const { nodes, edges } = pathOf('', ['s-decode'])
    expect(() => new Topology(nodes, edges)).toThrow(/"s-decode" is also that of a part/)
  })

  it('a name that topics and descriptions cannot hold', () => {
    for (const name of ['', 'with space', 'a/b', 'ä', 'a\nb', 'a,b']) {
      const found = problems((nodes, edges) => {
        nodes.splice(1, 0, transformNode(name))
        edges.splice(0, 1, edge('s', name), edge(name, 'r'))
      })
      expect(found).toEqual([
        `the name "${name}" has other characters than letters, digits, ".", "_", "-"`,
      ])
    }
  })

  it('a missing sink, at every place of the path', () => {
    for (const end of ['w', 'c', 'r']) {
      const found = problems((nodes, edges) => {
        drop(nodes, node => node.name === end)
        drop(edges, one => one.to === end)
        for (const after of { w: [], c: ['w'], r: ['c', 'w'] }[end]!) {
          drop(nodes, node => node.name === after)
          drop(edges, one => one.to === after)
        }
      })
      const last = { w: 'c', c: 'r', r: 's' }[end]
      expect(found).toEqual([`"${last}" leads nowhere: a path ends in .to(…)`])
    }
  })

  it('a wrong order', () => {
    const found = problems((_, edges) => {
      edges.splice(0, 3, edge('s', 'c'), edge('c', 'r'), edge('r', 'w'))
    })
    expect(found).toEqual([
      'compact "c" cannot follow source "s"',
      'repartition "r" cannot follow compact "c"',
      'warehouse "w" cannot follow repartition "r"',
    ])
  })

  it('a path that branches', () => {
    const found = problems((nodes, edges) => {
      const other = pathOf('2')
      nodes.push(...other.nodes.slice(1))
      edges.push(edge('s', 'r2'), ...other.edges.slice(1))
    })
    expect(found).toEqual(['"s" has 2 children: a path does not branch'])
  })

  it('paths that join', () => {
    const found = problems((nodes, edges) => {
      nodes.push(sourceNode('s2'))
      edges.push(edge('s2', 'r'))
    })
    expect(found).toEqual(['"r" has 2 parents: a path does not join'])
  })

  it('a node that nothing leads to', () => {
    const found = problems((nodes, edges) => {
      const other = pathOf('2')
      nodes.push(...other.nodes.slice(1))
      edges.push(...other.edges.slice(1))
    })
    expect(found).toEqual(['nothing leads to "r2"'])
  })

  it('an edge from or to what does not exist', () => {
    expect(problems((_, edges) => edges.push(edge('w', 'ghost')))).toContain(
      'an edge leads from "w" to "ghost", and one of them does not exist',
    )
  })

  it('a planted cycle, of two nodes, of one, and beside a whole path', () => {
    const two = problems(
      (_, edges) => {
        edges.splice(0, 3, edge('a', 'b'), edge('b', 'a'))
      },
      ['a', 'b'],
    )
    expect(two).toContain('a cycle: a → b → a')
    const one = problems((nodes, edges) => {
      nodes.push(transformNode('loop'))
      edges.push(edge('loop', 'loop'))
    })
    expect(one).toEqual(['a cycle: loop → loop'])
    const back = problems((_, edges) => void edges.push(edge('b', 'a')), ['a', 'b'])
    expect(back).toContain('a cycle: a → b → a')
  })

  it('with all its problems at once', () => {
    const found = problems((nodes, edges) => {
      nodes.push(transformNode('s'), compactNode('lonely'))
      drop(edges, one => one.to === 'w')
    })
    expect(found.length).toBeGreaterThanOrEqual(4)
    for (const word of ['used twice', 'nothing leads to "lonely"', '"c" leads nowhere']) {
      expect(found.join('; ')).toContain(word)
    }
  })

  it('a source that orders by positions which its format does not tell', () => {
    const format = { ...debeziumJson(), hasPositions: false }
    const source = sourceNode('s', { format, ordering: 'position' })
    expect(problems(nodes => void nodes.splice(0, 1, source))).toEqual([
      '"s" orders by position, and the format debezium-json has none',
    ])
  })

  it('a source that reads no topic, or one that another source reads', () => {
    for (const topics of [[], ['']]) {
      const found = problems(nodes => void nodes.splice(0, 1, sourceNode('s', { topics })))
      expect(found).toEqual(['"s" reads no topic'])
    }
    const found = problems((nodes, edges) => {
      const other = pathOf('2')
      nodes.push(sourceNode('s2', { topics: ['x', 's'] }), ...other.nodes.slice(1))
      edges.push(...other.edges)
    })
    expect(found).toEqual(['"s" and "s2" both read "s"'])
  })

  it('a number of partitions, or a limit of a window, that is none', () => {
    for (const partitions of [0, -1, 1.5, Number.NaN]) {
      const found = problems(nodes => void nodes.splice(1, 1, repartitionNode('r', partitions)))
      expect(found).toEqual([`"r" has ${partitions} partitions: give a whole number from 1`])
    }
    for (const limits of [
      { maxRows: 0 },
      { maxBytes: -1 },
      { maxAgeMs: -1 },
      { maxRows: Number.NaN },
      { maxAgeMs: undefined as unknown as number },
    ]) {
      const [name] = Object.keys(limits)
      const found = problems(nodes => void nodes.splice(2, 1, compactNode('c', limits)))
      expect(found).toHaveLength(1)
      expect(found[0]).toContain(`"c" has ${name} ${Object.values(limits)[0]}`)
    }
    expect(problems(nodes => void nodes.splice(2, 1, compactNode('c', { maxAgeMs: 0 })))).toEqual(
      [],
    )
  })

  it('two paths into one sink', () => {
    const found = problems((nodes, edges) => {
      const other = pathOf('2')
      nodes.push(...other.nodes.filter(({ name }) => name !== 'w2'))
      edges.push(...other.edges.filter(({ to }) => to !== 'w2'), edge('c2', 'w'))
    })
    expect(found).toEqual(['"w" has 2 parents: a path does not join'])
    expect(warehouseNode('w').kind).toBe('warehouse')
  })
})
