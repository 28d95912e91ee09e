/**
 * Apicurio's schema registry, with Confluent's HTTP interface beside its own. Its schemas lie in a file of its
 * folder: they are there again after a crash, under the ids that messages name.
 */
import { join } from 'node:path'
import type { Download } from './downloads.ts'
import { folderOf } from './downloads.ts'
import { javaOf } from './java.ts'
import type { Command, Part, StackOptions } from './parts.ts'
import { partFolder, portOf, resources } from './parts.ts'
import { textAt } from './probes.ts'
import { heapsMb, versions } from './servers.ts'

export const apicurio: Download = {
  title: `Apicurio Registry ${versions.registry}`,
  folder: 'registry/app',
  pom: join(resources, 'registry', 'pom.xml'),
  files: 1,
  megabytes: 159,
  unpack: '*',
}

/** For `source.registry.url`. */
export function registryUrl(options: StackOptions): string {
  return `${rootUrl(options)}/apis/ccompat/v7`
}

/** Of Apicurio's own interface, which its converter for Connect speaks: 2.6 knows version 2 of it. */
export function apicurioUrl(options: StackOptions): string {
  return `${rootUrl(options)}/apis/registry/v2`
}

function rootUrl(options: StackOptions): string {
  return `http://127.0.0.1:${portOf('registry', options)}`
}

/** Without its settings. */
export function registryCommand({ home }: StackOptions): Command {
  const jar = join(folderOf(apicurio, home), 'quarkus-run.jar')
  return { command: javaOf(21, { neededBy: 'the registry' }), args: ['-jar', jar] }
}

export const registry: Part = {
  name: 'registry',
  // Most do without it, and it takes a processor for a quarter of a minute.
  isExtra: true,
  needs: [],
  downloads: [apicurio],
  readyWithinMs: 240_000,
  address: registryUrl,
  async prepare(options) {
    const data = join(partFolder('registry', options), 'data', 'registry')
    const settings = {
      'quarkus.http.host': '127.0.0.1',
      'quarkus.http.port': portOf('registry', options),
      'quarkus.management.host': '127.0.0.1',
      'quarkus.management.port': portOf('registryManagement', options),
      'apicurio.storage.kind': 'sql',
      'apicurio.storage.sql.kind': 'h2',
      'apicurio.datasource.url': `jdbc:h2:file:${data}`,
    }
    const given = Object.entries(settings).map(([name, value]) => `-D${name}=${value}`)
    const { command, args } = registryCommand(options)
    return { command, args: [`-Xmx${heapsMb.registry}m`, ...given, ...args] }
  },
  /** It lists its subjects: its database answers too. */
  async answers(options) {
    return (await textAt(`${registryUrl(options)}/subjects`)) !== null
  },
}
