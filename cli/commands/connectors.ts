/** `forager connectors apply CONFIG`: Debezium's connectors as the configuration has them. */

import { systemClock } from '../../runtime/clock.ts'
import { nodeFileSystem } from '../../runtime/file-system.ts'
import { ConfigProblems, loadConfig } from '../config.ts'
import type { Environment } from '../config-secrets.ts'
import { insertConnectorSecrets } from '../config-secrets.ts'
import type { Applied, ApplyOptions } from '../connect/apply-connectors.ts'
import { applyConnectors } from '../connect/apply-connectors.ts'
import { findingText } from '../connect/finding.ts'
import { writeOut } from '../output.ts'

export interface ApplyConnectorsOptions {
  /** Instead of `connectors.url`. */
  readonly connectUrl?: string
  readonly dryRun: boolean
  readonly force: boolean
  readonly restartFailed: boolean
  /** Seconds. */
  readonly wait: number
}

/**
 * Exit code 2 when Connect does not take the settings; 1 when a connector does not run, or has settings by
 * which changes are lost.
 */
export async function applyConnectorsCommand(
  path: string,
  env: Environment,
  { connectUrl, wait, ...options }: ApplyConnectorsOptions,
): Promise<number> {
  // Connectors alone have their secrets put in: who registers them needs no password of Kafka or Hive.
  const { config, folder } = await loadConfig(nodeFileSystem, path)
  const { connectors } = config
  if (connectors === undefined) {
    const message = 'connectors is missing: say which ones there are (docs/connectors.md)'
    throw new ConfigProblems(path, [{ line: 0, message }])
  }
  const context = { env, fileSystem: nodeFileSystem, folder }
  const filled = await insertConnectorSecrets(connectors, context)
  if (filled.problems.length > 0) throw new ConfigProblems(path, filled.problems)
  const { username } = connectors
  const { outcome } = await printed({
    config,
    address: {
      url: connectUrl ?? connectors.url,
      ...(username !== undefined && {
        user: { name: username, password: filled.password ?? '' },
      }),
    },
    connectors: filled.configs,
    secrets: filled.secrets,
    clock: systemClock,
    waitMs: wait * 1000,
    ...options,
  })
  if (outcome === 'refused') {
    await writeOut('Nothing was changed: mend what is WRONG, or give --force.\n')
  }
  if (outcome === 'invalid') await writeOut('Nothing was changed: mend what is WRONG.\n')
  return exitCodeOf[outcome]
}

const exitCodeOf = { done: 0, failed: 1, refused: 1, invalid: 2 } as const

async function printed(options: ApplyOptions): Promise<Applied> {
  const lines = applyConnectors(options)
  for (;;) {
    const next = await lines.next()
    if (next.done === true) return next.value
    await writeOut(findingText(next.value))
  }
}
