/** All servers from the databases to Hive, for the tests of this folder. */
import type { TestProject } from 'vitest/node'
import { kafkaPort, portOf } from '../../../scripts/stack/parts.ts'
import { startStack } from '../start-stack.ts'

declare module 'vitest' {
  interface ProvidedContext {
    webhdfs: { readonly url: string; readonly location: string }
    hive: { readonly host: string; readonly port: number }
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const started = await startStack([])
  const { stack } = started
  project.provide('broker', `127.0.0.1:${kafkaPort(stack)}`)
  project.provide('stack', stack)
  project.provide('hive', { host: '127.0.0.1', port: portOf('hiveserver2', stack) })
  project.provide('webhdfs', {
    url: `http://127.0.0.1:${portOf('namenodeHttp', stack)}`,
    location: `hdfs://127.0.0.1:${portOf('namenode', stack)}`,
  })
  return () => started.stop()
}
