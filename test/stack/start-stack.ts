/**
 * Starts parts of the stack for a run of tests, and ends those that it started. They get ports of their own:
 * what already runs on this machine is not theirs.
 */
import { rm } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { StackOptions } from '../../scripts/stack/parts.ts'
import { testOffsets } from '../../scripts/stack/parts.ts'
import { down, isFree, up } from '../../scripts/stack/stack.ts'

const say = (line: string): void => void process.stderr.write(`${line}\n`)

export interface StartedStack {
  readonly stack: StackOptions
  stop(): Promise<void>
}

export async function startStack(names: readonly string[]): Promise<StartedStack> {
  const stack = await freeStack()
  await up(names, stack, say)
  return {
    stack,
    stop: async () => {
      await down([], stack, say)
      await rm(stack.data, { recursive: true, force: true })
    },
  }
}

/** Beside the stack that somebody may run by hand, and with its jars. */
async function freeStack(): Promise<StackOptions & { readonly data: string }> {
  for (const portOffset of testOffsets) {
    const home = resolve('.cache/stack')
    const stack = { home, portOffset, data: resolve('.cache', `stack-data-${portOffset}`) }
    if (await isFree(stack)) return stack
  }
  throw new Error('no free ports were found for the stack')
}
