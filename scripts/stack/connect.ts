/** A worker of Kafka Connect with Debezium's connectors for MariaDB and PostgreSQL, and a converter to Avro. */
import { join } from 'node:path'
import { avroConverter, converterPlugins } from './avro-converter.ts'
import type { Download } from './downloads.ts'
import { classPathOf, folderOf } from './downloads.ts'
import { kafkaJars, kafkaLog4j } from './kafka.ts'
import type { Part, StackOptions } from './parts.ts'
import { partFolder, portOf, resources } from './parts.ts'
import { textAt } from './probes.ts'
import { heapsMb, versions } from './servers.ts'
import { writeSettings } from './settings.ts'

const debezium: Download = {
  title: `Debezium ${versions.debezium} for MariaDB and PostgreSQL`,
  folder: 'debezium',
  pom: join(resources, 'connect', 'debezium.xml'),
  files: 2,
  megabytes: 51,
  unpack: 'debezium-connector-*.jar',
}

export function connectUrl(options: StackOptions): string {
  return `http://127.0.0.1:${portOf('connect', options)}`
}

export const connect: Part = {
  name: 'connect',
  isExtra: false,
  needs: ['kafka'],
  downloads: [kafkaJars, debezium, avroConverter],
  readyWithinMs: 180_000,
  address: connectUrl,
  async prepare(options) {
    const settings = join(partFolder('connect', options), 'connect.properties')
    await writeSettings('connect/connect.properties', settings, {
      KAFKA_PORT: portOf('kafka', options),
      PORT: portOf('connect', options),
      PLUGINS: [folderOf(debezium, options.home), await converterPlugins(options.home)].join(),
    })
    const classPath = await classPathOf(kafkaJars, options.home)
    const main = 'org.apache.kafka.connect.cli.ConnectDistributed'
    return {
      command: 'java',
      args: [`-Xmx${heapsMb.connect}m`, '-Xms128m', kafkaLog4j, '-cp', classPath, main, settings],
    }
  },
  /** It lists its connectors: before it has read their settings from Kafka it answers with an error. */
  async answers(options) {
    return (await textAt(`${connectUrl(options)}/connectors`)) !== null
  },
}
