/** Where the servers of Hive are: `FORAGER_TEST_WEBHDFS=http://127.0.0.1:9870,hdfs://127.0.0.1:8020`. */
import type { TestProject } from 'vitest/node'

declare module 'vitest' {
  interface ProvidedContext {
    webhdfs: { readonly url: string; readonly location: string }
  }
}

export default function setup(project: TestProject): void {
  const [url, location] = (process.env.FORAGER_TEST_WEBHDFS ?? '').split(',')
  if (!url || !location) throw new Error('FORAGER_TEST_WEBHDFS does not say where HDFS is')
  project.provide('webhdfs', { url, location })
}
