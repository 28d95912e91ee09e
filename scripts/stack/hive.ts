/** Hive: its metastore over PostgreSQL, and HiveServer2 with Tez in its own process; tables lie on HDFS. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { psql } from './databases.ts'
import type { Download } from './downloads.ts'
import { folderOf } from './downloads.ts'
import { hadoopJava, hiveJars, jvmOf, writeHadoopSettings } from './hdfs.ts'
import type { Command, Part, StackOptions } from './parts.ts'
import { partFolder, portOf, resources } from './parts.ts'
import { replies } from './probes.ts'
import { heapsMb } from './servers.ts'
import { writeSettings } from './settings.ts'

const run = promisify(execFile)

const schema: Download = {
  title: "the schema of Hive's metastore",
  folder: 'hive/schema',
  pom: join(resources, 'hive', 'schema.xml'),
  files: 1,
  megabytes: 79,
  unpack: '*/upgrade/postgres/hive-schema-4.0.0.postgres.sql',
}

const schemaFile =
  'apache-hive-metastore-4.0.1-bin/scripts/metastore/upgrade/postgres/hive-schema-4.0.0.postgres.sql'

async function prepareHive(
  part: string,
  options: StackOptions,
  jvmArgs: readonly string[],
  main: readonly string[],
): Promise<Command> {
  const values = await writeHadoopSettings(part, options)
  await writeSettings('hive/hive-site.xml', join(partFolder(part, options), 'conf/hive-site.xml'), {
    ...values,
    METASTORE_PORT: portOf('metastore', options),
    POSTGRES_PORT: portOf('postgres', options),
    HIVESERVER2_PORT: portOf('hiveserver2', options),
  })
  return await hadoopJava(part, options, jvmArgs, main)
}

/** In one transaction: a schema is there as a whole or not at all. */
async function makeSchema(options: StackOptions): Promise<void> {
  const { command, args, env } = psql(options, 'hive', { user: 'hive', password: 'hive' })
  const ask = async (...more: string[]): Promise<string> => {
    const { stdout } = await run(command, [...args, ...more], {
      env: { ...process.env, ...env },
      maxBuffer: 64 * 1024 * 1024,
    })
    return stdout
  }
  if ((await ask('-Atc', `SELECT to_regclass('"VERSION"') IS NOT NULL`)).trim() === 't') return
  const file = join(folderOf(schema, options.home), schemaFile)
  await ask('-q', '-1', '-v', 'ON_ERROR_STOP=1', '-f', file)
}

export const metastore: Part = {
  name: 'metastore',
  isExtra: false,
  // It looks at the warehouse's folder as it starts.
  needs: ['postgres', 'datanode'],
  downloads: [hiveJars, schema],
  readyWithinMs: 180_000,
  address: options => `thrift://127.0.0.1:${portOf('metastore', options)}`,
  async prepare(options) {
    await makeSchema(options)
    const main = 'org.apache.hadoop.hive.metastore.HiveMetaStore'
    const port = String(portOf('metastore', options))
    return await prepareHive('metastore', options, jvmOf('metastore'), [main, '-p', port])
  },
  /** It tells its databases, by Thrift's binary protocol: so its own database answers too. */
  answers(options) {
    const method = 'get_all_databases'
    const call = Buffer.concat([message(1, method), Buffer.from([0])])
    return replies(portOf('metastore', options), [call], message(2, method))
  },
}

/** The head of a call (1) or of a reply (2). */
function message(kind: 1 | 2, method: string): Buffer {
  const name = Buffer.from(method)
  const length = Buffer.alloc(4)
  length.writeUInt32BE(name.length)
  return Buffer.concat([Buffer.from([0x80, 1, 0, kind]), length, name, Buffer.alloc(4)])
}

export const hiveserver2: Part = {
  name: 'hiveserver2',
  isExtra: false,
  // Started before the metastore answers it would wait a minute.
  needs: ['metastore'],
  downloads: [hiveJars],
  readyWithinMs: 180_000,
  address: options =>
    `127.0.0.1:${portOf('hiveserver2', options)} (binary Thrift, SASL PLAIN, any password)`,
  prepare: options =>
    prepareHive(
      'hiveserver2',
      options,
      [`-Xmx${heapsMb.hiveserver2}m`, '-Xms256m'],
      ['org.apache.hive.service.server.HiveServer2'],
    ),
  /** It lets somebody in; a session would cost it a Tez application. */
  answers(options) {
    const credentials = Buffer.from('\0stack\0stack')
    const sent = [sasl(1, Buffer.from('PLAIN')), sasl(5, credentials)]
    return replies(portOf('hiveserver2', options), sent, sasl(5, Buffer.alloc(0)))
  },
}

/** Thrift's SASL framing: 1 starts, 5 completes. */
function sasl(status: 1 | 5, payload: Buffer): Buffer {
  const head = Buffer.from([status, 0, 0, 0, payload.length])
  return Buffer.concat([head, payload])
}
