/**
 * Apicurio's Avro converter for Connect, and the settings of a connector by which it writes Confluent's wire
 * format: a zero, the id of the schema in four bytes, Avro.
 */
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import type { Download } from './downloads.ts'
import { folderOf } from './downloads.ts'
import type { StackOptions } from './parts.ts'
import { resources } from './parts.ts'
import { apicurioUrl } from './registry.ts'
import { versions } from './servers.ts'

const run = promisify(execFile)

const className = 'io.apicurio.registry.utils.converter.AvroConverter'

/** A folder in a folder: Connect takes each folder of its plugin path for one plugin. */
export const avroConverter: Download = {
  title: `Apicurio's Avro converter ${versions.converter} for Connect`,
  folder: 'converters/avro',
  pom: join(resources, 'connect', 'avro-converter.xml'),
  files: 22,
  megabytes: 7,
}

/**
 * Resolves to what belongs into the plugin path. Connect finds plugins by their `META-INF/services`
 * (`plugin.discovery=service_load`; looking through all classes takes it a minute), which Apicurio's jars
 * do not have: one more jar has it.
 */
export async function converterPlugins(home: string): Promise<string> {
  const folder = folderOf(avroConverter, home)
  const jar = join(folder, 'services.jar')
  if (!existsSync(jar)) {
    // Beside its place first: two stacks may have the same jars.
    const fresh = await mkdtemp(join(home, 'services-'))
    try {
      const services = join(fresh, 'META-INF', 'services')
      await mkdir(services, { recursive: true })
      await writeFile(join(services, 'org.apache.kafka.connect.storage.Converter'), className)
      const made = join(fresh, 'services.jar')
      await run('jar', ['--create', '--file', made, '-C', fresh, 'META-INF'])
      await rename(made, jar)
    } finally {
      await rm(fresh, { recursive: true, force: true })
    }
  }
  return dirname(folder)
}

/** For `more` of a connector; the stack's `registry` must run. */
export function avroSettings(options: StackOptions): Readonly<Record<string, string>> {
  const registry = {
    url: apicurioUrl(options),
    'auto-register': 'true',
    'auto-register.if-exists': 'RETURN_OR_UPDATE',
    'find-latest': 'false',
    'as-confluent': 'true',
    // The ids that Apicurio gives out by Confluent's interface are these.
    'use-id': 'contentId',
    'headers.enabled': 'false',
    // What it was told stays true: it asks once for each schema, and goes on without the registry.
    'check-period-ms': String(24 * 3600 * 1000),
    'artifact-resolver-strategy': 'io.apicurio.registry.serde.strategy.TopicIdStrategy',
  }
  const all = ['key', 'value'].flatMap(part => [
    [`${part}.converter`, className],
    ...Object.entries(registry).map(([name, value]) => [
      `${part}.converter.apicurio.registry.${name}`,
      value,
    ]),
  ])
  return {
    ...(Object.fromEntries(all) as Record<string, string>),
    // Names of tables and columns need not be names in Avro.
    'schema.name.adjustment.mode': 'avro',
    'field.name.adjustment.mode': 'avro',
  }
}
