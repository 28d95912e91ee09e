import { expect, it } from 'vitest'
import { mermaidOf } from '../../topology/mermaid.ts'
import { Topology } from '../../topology/topology.ts'
import { pathOf, sourceNode } from './samples.ts'

it('a diagram has a box for each sub-topology, and the topics that they meet at', () => {
  const { nodes, edges } = pathOf('', ['t'])
  const source = sourceNode('s', { topics: ['a', 'b"<'], dropRepeats: false })
  const text = mermaidOf(new Topology([source, ...nodes.slice(1)], edges).describe('app'))
  expect(text.split('\n')).toEqual([
    'flowchart LR',
    '  subgraph sub0["Sub-topology 0"]',
    '    n0(["s"])',
    '    n1["s-decode"]',
    '    n2["t"]',
    '    n3["r-key"]',
    '    n4(["r-sink"])',
    '    n0 --> n1',
    '    n1 --> n2',
    '    n2 --> n3',
    '    n3 --> n4',
    '  end',
    '  subgraph sub1["Sub-topology 1"]',
    '    n5(["r-source"])',
    '    n6["c<br>c-store"]',
    '    n7["w-stage"]',
    '    n8(["w-staged-sink"])',
    '    n5 --> n6',
    '    n6 --> n7',
    '    n7 --> n8',
    '  end',
    '  subgraph sub2["Sub-topology 2"]',
    '    n9(["w-staged-source"])',
    '    n10["w-merge"]',
    '    n11(["w"])',
    '    n9 --> n10',
    '    n10 --> n11',
    '  end',
    '  t0[("a")]',
    '  t1[("b#quot;#lt;")]',
    '  t2[("app-r-repartition")]',
    '  t3[("app-w-staged")]',
    '  t4[("embedded:/warehouse")]',
    '  t0 --> n0',
    '  t1 --> n0',
    '  n4 --> t2',
    '  t2 --> n5',
    '  n8 --> t3',
    '  t3 --> n9',
    '  n11 --> t4',
  ])
})
