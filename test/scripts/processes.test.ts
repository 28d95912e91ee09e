/** Ending a server ends all that it started, in order or by force. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect, it } from 'vitest'
import type { ProcessId } from '../../scripts/stack/processes.ts'
import { end, isAlive, processOf, treeOf } from '../../scripts/stack/processes.ts'

/** A shell with two children, of which one has a session of its own, as PostgreSQL's have. */
async function startTree(onTerm: string): Promise<{ root: ProcessId; tree: readonly ProcessId[] }> {
  const script = `trap '${onTerm}' TERM; setsid sleep 600 & sleep 601 & echo ready; while :; do wait; done`
  const child = spawn('sh', ['-c', script], {
    detached: true,
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  await once(child.stdout, 'data')
  const root = await processOf(child.pid!)
  if (root === null) throw new Error('the shell ended at once')
  const tree = await treeOf(root)
  expect(tree).toHaveLength(3)
  return { root, tree }
}

async function living(tree: readonly ProcessId[]): Promise<number> {
  return (await Promise.all(tree.map(isAlive))).filter(Boolean).length
}

it('a process that leaves its children behind: they are ended too', async () => {
  const { root, tree } = await startTree('exit')
  expect(await living(tree)).toBe(3)
  await end(root, 'SIGTERM', 500)
  expect(await living(tree)).toBe(0)
})

it('a process that does not end by the signal is ended by force', async () => {
  const { root, tree } = await startTree(':')
  await end(root, 'SIGTERM', 500)
  expect(await living(tree)).toBe(0)
})

it('a later process of the same number is another one', async () => {
  const self = await processOf(process.pid)
  expect(self).not.toBeNull()
  expect(await isAlive({ pid: process.pid, began: 'before' })).toBe(false)
})
