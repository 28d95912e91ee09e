/**
 * Starts parts of the stack for a run of tests, and ends those that it started. They get ports of their own:
 * what already runs on this machine is not theirs.
 */
import { rm } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { StackOptions } from '../../scripts/stack/parts.ts'
import { testOffsets } from '../../scripts/stack/parts.ts'
import { claim, down, up } from '../../scripts/stack/stack.ts'

const say = (line: string): void => void process.stderr.write(`${line}\n`)

export interface StartedStack {
  readonly stack: StackOptions
  stop(): Promise<void>
}

export async function startStack(names: readonly string[]): Promise<StartedStack> {
  const { stack, release } = await freeStack()
  const stop = async (): Promise<void> => {
    await down([], stack, say)
    await release()
  }
  try {
    await up(names, stack, say)
  } catch (error) {
    // Its data stays: the logs say why.
    await stop()
    throw error
  }
  return {
    stack,
    stop: async () => {
      await stop()
      await rm(stack.data, { recursive: true, force: true })
    },
  }
}

interface FreeStack {
  readonly stack: StackOptions & { readonly data: string }
  readonly release: () => Promise<void>
}

/** Beside the stack that somebody may run by hand, and with its jars. */
async function freeStack(): Promise<FreeStack> {
  for (const portOffset of testOffsets) {
    const home = resolve('.cache/stack')
    const stack = { home, portOffset, data: resolve('.cache', `stack-data-${portOffset}`) }
    const release = await claim(stack)
    if (release === null) continue
    // What an earlier run left behind would be read.
    await rm(stack.data, { recursive: true, force: true })
    return { stack, release }
  }
  throw new Error('no free ports were found for the stack')
}
