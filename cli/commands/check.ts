/** `forager check CONFIG` and `forager describe CONFIG`: looking at a configuration. */
import { nodeFileSystem } from '../../runtime/file-system.ts'
import { mermaidOf } from '../../topology/mermaid.ts'
import { buildTopology } from '../application.ts'
import type { LoadedConfig } from '../config.ts'
import { formatProblem, readConfig } from '../config.ts'
import type { Environment } from '../config-secrets.ts'
import { shortSecretNote } from '../config-secrets.ts'
import { checkConnections } from './check-connections.ts'

export interface CheckOptions {
  /** Asks what a run needs. */
  readonly connect: boolean
  /** Address of Kafka Connect's REST interface. */
  readonly kafkaConnect?: string
}

/** Prints every problem with its line. Exit code 2 when there is one. */
export async function checkCommand(
  path: string,
  env: Environment,
  options: CheckOptions = { connect: false },
): Promise<number> {
  const { loaded, problems } = await readConfig(nodeFileSystem, path, env)
  for (const problem of problems) process.stdout.write(`${formatProblem(path, problem)}\n`)
  if (loaded === null) return 2
  const { tables, source } = loaded.config
  process.stdout.write(
    `${path} is right: ${source.type} ${source.type === 'file' ? source.path : source.brokers.join(',')}, ${tables.length} table rule${tables.length === 1 ? '' : 's'}.\n`,
  )
  for (const key of loaded.shortSecrets) process.stdout.write(`note: ${shortSecretNote(key)}.\n`)
  return await checkConnections(loaded, options)
}

/** Kafka Streams' text form: whatever draws theirs draws this. Or a diagram. */
export function describeCommand(
  loaded: LoadedConfig,
  { mermaid }: { readonly mermaid: boolean },
): number {
  const description = buildTopology(loaded).describe(loaded.config.applicationId)
  process.stdout.write(`${mermaid ? mermaidOf(description) : description.toString()}\n`)
  return 0
}
