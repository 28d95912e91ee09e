/** Processes with all that they start: who lives, and how they are ended. By Linux's /proc. */
import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'

const endWithinMs = 30_000
const forgottenWithinMs = 5000

/** One process, and no later one that was given the same number. */
export interface ProcessId {
  readonly pid: number
  /** When it began, in ticks since the machine did. */
  readonly began: string
}

interface Entry extends ProcessId {
  readonly parent: number
}

/** Null when there is none; one that ended and was not waited for is none. */
export async function processOf(pid: number): Promise<ProcessId | null> {
  return await entryOf(pid)
}

export async function isAlive({ pid, began }: ProcessId): Promise<boolean> {
  return (await entryOf(pid))?.began === began
}

/** The process and all that it started, directly or not. */
export async function treeOf(root: ProcessId): Promise<readonly ProcessId[]> {
  const names = (await readdir('/proc')).filter(name => /^\d+$/.test(name))
  const entries = (await Promise.all(names.map(name => entryOf(Number(name))))).filter(
    entry => entry !== null,
  )
  const tree: ProcessId[] = [root]
  for (const { pid } of tree) tree.push(...entries.filter(({ parent }) => parent === pid))
  return tree
}

/**
 * By the signal first; by force when that takes too long. None of its children is left: those of a
 * process that was killed end when they miss it.
 */
export async function end(
  root: ProcessId,
  signal: NodeJS.Signals,
  withinMs = endWithinMs,
): Promise<void> {
  const tree = await treeOf(root)
  send(root, signal)
  const deadline = performance.now() + withinMs
  while (performance.now() < deadline && (await anyAlive(tree))) await sleep(50)
  for (const one of tree) {
    if (await isAlive(one)) send(one, 'SIGKILL')
  }
  while (await anyAlive(tree)) await sleep(50)
  await untilForgotten(root)
}

/**
 * A process that ended stays in the list until its parent has heard of it. To PostgreSQL it still lives
 * then, and its successor does not start. Where nobody ever asks, we do not wait for long.
 */
async function untilForgotten({ pid }: ProcessId): Promise<void> {
  const deadline = performance.now() + forgottenWithinMs
  while (existsSync(`/proc/${pid}`) && performance.now() < deadline) await sleep(20)
}

async function anyAlive(tree: readonly ProcessId[]): Promise<boolean> {
  return (await Promise.all(tree.map(isAlive))).includes(true)
}

function send({ pid }: ProcessId, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    // It ended by itself meanwhile.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

async function entryOf(pid: number): Promise<Entry | null> {
  let text: string
  try {
    text = await readFile(`/proc/${pid}/stat`, 'utf8')
  } catch {
    return null
  }
  // `pid (name) state parent …`; the name may hold blanks and parentheses.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  const [state, parent] = fields
  const began = fields[19]
  if (began === undefined || state === 'Z' || state === 'X') return null
  return { pid, began, parent: Number(parent) }
}
