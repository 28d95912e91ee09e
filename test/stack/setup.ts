/**
 * Starts the parts of the stack that the tests use, and ends those that it started. They get ports of
 * their own: what already runs on this machine is not theirs.
 */
import { rm } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { TestProject } from 'vitest/node'
import type { StackOptions } from '../../scripts/stack/parts.ts'
import { kafkaPort } from '../../scripts/stack/parts.ts'
import { down, isFree, up } from '../../scripts/stack/stack.ts'

declare module 'vitest' {
  interface ProvidedContext {
    broker: string
    stack: StackOptions
  }
}

const names = ['kafka']
const say = (line: string): void => void process.stderr.write(`${line}\n`)

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const stack = await freeStack()
  await up(names, stack, say)
  project.provide('broker', `127.0.0.1:${kafkaPort(stack)}`)
  project.provide('stack', stack)
  return async () => {
    await down(names, stack, say)
    await rm(stack.data, { recursive: true, force: true })
  }
}

/** Beside the stack that somebody may run by hand, and with its jars. */
async function freeStack(): Promise<StackOptions & { readonly data: string }> {
  for (let portOffset = 100; portOffset < 2000; portOffset += 10) {
    const home = resolve('.cache/stack')
    const stack = { home, portOffset, data: resolve('.cache', `stack-data-${portOffset}`) }
    if (await isFree(stack)) return stack
  }
  throw new Error('no free ports were found for the stack')
}
