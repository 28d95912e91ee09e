/** The broker for the tests of this folder. */
import type { TestProject } from 'vitest/node'
import type { StackOptions } from '../../scripts/stack/parts.ts'
import { kafkaPort } from '../../scripts/stack/parts.ts'
import { startStack } from './start-stack.ts'

declare module 'vitest' {
  interface ProvidedContext {
    broker: string
    stack: StackOptions
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const started = await startStack(['kafka'])
  const { stack } = started
  project.provide('broker', `127.0.0.1:${kafkaPort(stack)}`)
  project.provide('stack', stack)
  return () => started.stop()
}
