/** HDFS, one NameNode and one DataNode, with WebHDFS. It runs from Hive's jars, which hold all of it. */
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Download } from './downloads.ts'
import { classPathOf } from './downloads.ts'
import type { Command, Part, StackOptions } from './parts.ts'
import { partFolder, portOf, resources } from './parts.ts'
import { textAt } from './probes.ts'
import { heapsMb, smallJvm, versions } from './servers.ts'
import type { Values } from './settings.ts'
import { writeSettings } from './settings.ts'

const run = promisify(execFile)

export const hiveJars: Download = {
  title: `Hive ${versions.hive} with Hadoop ${versions.hadoop} and Tez ${versions.tez}`,
  folder: 'hive/libs',
  pom: join(resources, 'hive', 'pom.xml'),
  files: 331,
  megabytes: 283,
}

/** What Hadoop and Hive reach into that Java 17 keeps closed. */
const opened = [
  'java.base/java.io',
  'java.base/java.lang',
  'java.base/java.lang.invoke',
  'java.base/java.lang.reflect',
  'java.base/java.math',
  'java.base/java.net',
  'java.base/java.nio',
  'java.base/java.text',
  'java.base/java.time',
  'java.base/java.util',
  'java.base/java.util.concurrent',
  'java.base/java.util.concurrent.atomic',
  'java.base/java.util.regex',
  'java.base/sun.nio.ch',
  'java.base/sun.nio.cs',
  'java.base/sun.security.action',
  'java.base/sun.util.calendar',
  'java.security.jgss/sun.security.krb5',
  'java.sql/java.sql',
].flatMap(name => ['--add-opens', `${name}=ALL-UNNAMED`])

/**
 * A server of Hadoop or Hive, with its settings folder first on the class path. What an earlier run left in
 * its scratch folder, copies of jars mostly, goes.
 */
export async function hadoopJava(
  part: string,
  options: StackOptions,
  jvmArgs: readonly string[],
  main: readonly string[],
): Promise<Command> {
  const folder = partFolder(part, options)
  const scratch = join(folder, 'scratch')
  await rm(scratch, { recursive: true, force: true })
  await mkdir(scratch, { recursive: true })
  const classPath = `${join(folder, 'conf')}:${await classPathOf(hiveJars, options.home)}`
  const log4j = `-Dlog4j2.configurationFile=${join(folder, 'conf', 'log4j2.properties')}`
  const files = [`-Djava.io.tmpdir=${scratch}`, '-Djava.net.preferIPv4Stack=true']
  return {
    command: 'java',
    args: [...jvmArgs, ...files, log4j, ...opened, '-cp', classPath, ...main],
    cwd: scratch,
  }
}

/** Settings of everything that speaks with HDFS. */
export async function writeHadoopSettings(part: string, options: StackOptions): Promise<Values> {
  const folder = partFolder(part, options)
  const values = {
    SCRATCH: join(folder, 'scratch'),
    USER: userInfo().username,
    NAMENODE_DATA: join(partFolder('namenode', options), 'data'),
    DATANODE_DATA: join(partFolder('datanode', options), 'data'),
    NAMENODE_PORT: portOf('namenode', options),
    NAMENODE_HTTP_PORT: portOf('namenodeHttp', options),
    DATANODE_PORT: portOf('datanode', options),
    DATANODE_HTTP_PORT: portOf('datanodeHttp', options),
    DATANODE_IPC_PORT: portOf('datanodeIpc', options),
  }
  for (const file of ['core-site.xml', 'hdfs-site.xml', 'log4j2.properties']) {
    await writeSettings(`hdfs/${file}`, join(folder, 'conf', file), values)
  }
  return values
}

/** The server ends at once when it does not find folders for web pages, which the jars do not hold. */
async function makeWebFolders(part: string, options: StackOptions): Promise<void> {
  for (const name of ['hdfs', 'datanode', 'static']) {
    await mkdir(join(partFolder(part, options), 'conf', 'webapps', name), { recursive: true })
  }
}

export function jvmOf(part: 'namenode' | 'datanode' | 'metastore'): readonly string[] {
  return [`-Xmx${heapsMb[part]}m`, ...smallJvm]
}

export function webHdfsUrl(options: StackOptions): string {
  return `http://127.0.0.1:${portOf('namenodeHttp', options)}/webhdfs/v1`
}

export const namenode: Part = {
  name: 'namenode',
  isExtra: false,
  needs: [],
  downloads: [hiveJars],
  readyWithinMs: 120_000,
  address: options => `hdfs://127.0.0.1:${portOf('namenode', options)}, ${webHdfsUrl(options)}`,
  async prepare(options) {
    await writeHadoopSettings('namenode', options)
    await makeWebFolders('namenode', options)
    const main = 'org.apache.hadoop.hdfs.server.namenode.NameNode'
    if (!existsSync(join(partFolder('namenode', options), 'data', 'current', 'VERSION'))) {
      const format = [main, '-format', '-nonInteractive', '-force']
      const { command, args } = await hadoopJava('namenode', options, smallJvm, format)
      await run(command, args)
    }
    return await hadoopJava('namenode', options, jvmOf('namenode'), [main])
  },
  async answers(options) {
    return (await textAt(`${webHdfsUrl(options)}/?op=GETFILESTATUS`)) !== null
  },
}

export const datanode: Part = {
  name: 'datanode',
  isExtra: false,
  needs: ['namenode'],
  downloads: [hiveJars],
  readyWithinMs: 120_000,
  address: options => `127.0.0.1:${portOf('datanode', options)}`,
  async prepare(options) {
    await writeHadoopSettings('datanode', options)
    await makeWebFolders('datanode', options)
    const main = 'org.apache.hadoop.hdfs.server.datanode.DataNode'
    return await hadoopJava('datanode', options, jvmOf('datanode'), [main])
  },
  /** It serves the NameNode, and the NameNode takes writes. */
  async answers(options) {
    const bean = (port: number, name: string): Promise<string | null> =>
      textAt(`http://127.0.0.1:${port}/jmx?qry=Hadoop:service=${name}`)
    const [own, state] = await Promise.all([
      bean(portOf('datanodeHttp', options), 'DataNode,name=DataNodeInfo'),
      bean(portOf('namenodeHttp', options), 'NameNode,name=FSNamesystemState'),
    ])
    const serves = own !== null && /ActorState\W+RUNNING/.test(own)
    return (
      serves && state !== null && /Operational/.test(state) && /"NumLiveDataNodes" : 1/.test(state)
    )
  },
}
