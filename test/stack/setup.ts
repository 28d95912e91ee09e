/** Starts the parts of the stack that the tests use, and ends those that it started. */
import { resolve } from 'node:path'
import type { TestProject } from 'vitest/node'
import { kafkaPort } from '../../scripts/stack/parts.ts'
import { down, partsNamed, pidOf, up } from '../../scripts/stack/stack.ts'

declare module 'vitest' {
  interface ProvidedContext {
    broker: string
  }
}

const names = ['kafka']
export const stackOptions = { home: resolve('.cache/stack'), portOffset: 0 }

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const before = await Promise.all(partsNamed(names).map(part => pidOf(part, stackOptions)))
  const say = (line: string): void => void process.stderr.write(`${line}\n`)
  await up(names, stackOptions, say)
  project.provide('broker', `127.0.0.1:${kafkaPort(stackOptions)}`)
  return async () => {
    if (before.every(pid => pid === null)) await down(names, stackOptions, say)
  }
}
