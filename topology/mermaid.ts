/**
 * A description as a Mermaid flowchart, which many viewers of Markdown draw: a box a sub-topology, and
 * between them the topics that they meet at.
 *
 *     flowchart LR
 *       subgraph sub0["Sub-topology 0"]
 *         n0(["events"]) --> n1["events-decode"]
 *       end
 *       t0[("shop-rows-repartition")] --> n0
 */
import type { DescribedNode, Description } from './description.ts'

export function mermaidOf({ subTopologies }: Description): string {
  const all = subTopologies.flatMap(({ nodes }) => nodes)
  const ids = new Map(all.map(({ name }, index) => [name, `n${index}`]))
  const topics = new Map<string, string>()
  for (const { type, linked } of all) {
    if (type === 'Processor') continue
    for (const topic of linked) if (!topics.has(topic)) topics.set(topic, `t${topics.size}`)
  }
  const lines = ['flowchart LR']
  for (const { id, nodes } of subTopologies) {
    lines.push(`  subgraph sub${id}["Sub-topology ${id}"]`)
    lines.push(...nodes.map(node => `    ${ids.get(node.name)}${shapeOf(node)}`))
    for (const { name, successors } of nodes) {
      lines.push(...successors.map(to => `    ${ids.get(name)} --> ${ids.get(to)}`))
    }
    lines.push('  end')
  }
  lines.push(...[...topics].map(([topic, id]) => `  ${id}[("${quoted(topic)}")]`))
  for (const { type, name, linked } of all) {
    if (type === 'Processor') continue
    for (const topic of linked) {
      const [node, at] = [ids.get(name), topics.get(topic)]
      lines.push(type === 'Source' ? `  ${at} --> ${node}` : `  ${node} --> ${at}`)
    }
  }
  return lines.join('\n')
}

/** A processor with a store says so. */
function shapeOf({ type, name, linked }: DescribedNode): string {
  if (type !== 'Processor') return `(["${quoted(name)}"])`
  const stores = linked.map(store => `<br>${quoted(store)}`).join('')
  return `["${quoted(name)}${stores}"]`
}

function quoted(text: string): string {
  return text.replaceAll('&', '#amp;').replaceAll('"', '#quot;').replaceAll('<', '#lt;')
}
