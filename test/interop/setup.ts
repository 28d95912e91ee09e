/** Fetches and compiles Java's side before the tests, which would else do so at the same time. */
import { orcVersions, prepareJava } from './java.ts'

export async function setup(): Promise<void> {
  for (const version of orcVersions) await prepareJava(version)
}
