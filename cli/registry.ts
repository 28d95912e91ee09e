/** The schema registry of a configuration. Nothing is opened or read before a message needs it. */
import { resolve } from 'node:path'
import type { ConfluentRegistryOptions } from '../formats/avro/confluent-registry.ts'
import { ConfluentRegistry } from '../formats/avro/confluent-registry.ts'
import type { SchemaRegistry } from '../formats/avro/schema-registry.ts'
import { FileRegistry } from '../formats/avro/schema-registry.ts'
import { systemClock } from '../runtime/clock.ts'
import { nodeFileSystem } from '../runtime/file-system.ts'
import type { LoadedConfig } from './config.ts'
import type { RegistryConfig } from './registry-schema.ts'
import { withoutUndefined } from './without-undefined.ts'

/** Null where none is configured. */
export function registryOf({ config, folder }: LoadedConfig): SchemaRegistry | null {
  const { registry } = config.source
  if (registry === undefined) return null
  if (registry.type === 'confluent') return new ConfluentRegistry(confluentOptions(registry))
  const path = resolve(folder, registry.path)
  return new FileRegistry({
    path,
    read: async () => (await nodeFileSystem.readFile(path)).toString('utf8'),
  })
}

function confluentOptions(
  config: Extract<RegistryConfig, { type: 'confluent' }>,
): ConfluentRegistryOptions {
  const { url, username, password, token, tls, requestTimeout, retryTimeout } = config
  return {
    url,
    clock: systemClock,
    requestTimeoutMs: requestTimeout,
    retryTimeoutMs: retryTimeout,
    ...(username !== undefined && { auth: { username, password: password ?? '' } }),
    ...(token !== undefined && { auth: { token } }),
    ...(tls !== undefined && { tls: withoutUndefined(tls) as never }),
  }
}
