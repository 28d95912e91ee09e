/**
 * The peers: the same work in Java. `floor` is a plain program of one thread, Jackson and a hash map that
 * writes one ORC file; `kafka-streams` is Kafka Streams with a repartition topic and a RocksDB store,
 * writing one ORC file a task at the end. Both are built here from Maven's repository.
 */
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { BufferSource, OrcReader } from '../orc/index.ts'
import type { Checksum } from './orders.ts'
import { orderChecksum } from './orders.ts'
import type { Measured } from './processes.ts'
import { Process } from './processes.ts'

export type Peer = 'floor' | 'kafka-streams'

const run = promisify(execFile)
const sources = join(import.meta.dirname, 'peers')
const built = resolve('.cache/bench')

/** Fetches its jars and compiles it, once. Resolves to the class path. */
export async function buildPeer(peer: Peer): Promise<string> {
  const folder = join(built, peer)
  const libs = join(folder, 'libs')
  const classes = join(folder, 'classes')
  const classPath = `${classes}:${libs}/*`
  if (existsSync(join(classes, 'M.class'))) return classPath
  console.log(`${peer}: fetches its jars from Maven's repository and compiles`)
  await mkdir(classes, { recursive: true })
  const pom = join(sources, peer, 'pom.xml')
  const target = `-DoutputDirectory=${libs}`
  await run(
    'mvn',
    ['-q', '-f', pom, 'dependency:copy-dependencies', '-DincludeScope=runtime', target],
    { maxBuffer: 64 * 1024 * 1024 },
  )
  const own = (await readdir(join(sources, peer))).filter(name => name.endsWith('.java'))
  const files = [
    join(sources, 'M.java'),
    join(sources, 'Orders.java'),
    ...own.map(name => join(sources, peer, name)),
  ]
  await run('javac', ['-cp', `${libs}/*`, '-d', classes, ...files])
  return classPath
}

/** Runs it over the topic; what it wrote lies in `folder` then. */
export async function runPeer(
  peer: Peer,
  options: {
    readonly broker: string
    readonly topic: string
    readonly events: number
    readonly folder: string
    readonly application: string
  },
): Promise<Measured> {
  const { broker, topic, events, folder, application } = options
  const classPath = await buildPeer(peer)
  const own =
    peer === 'floor'
      ? ['Floor', topic, join(folder, 'out.orc'), 'stream', 'ZLIB']
      : ['Streams', topic, String(events), folder, join(folder, 'state'), 'eos', application]
  const rest = peer === 'floor' ? [] : ['1', '1000']
  const process = new Process('java', ['-Xmx2g', '-cp', classPath, ...own, ...rest], {
    cwd: folder,
    broker,
  })
  await process.end()
  const [ready, done] = ['ready', 'done'].map(name => markOf(process.output, name))
  return {
    cpuSeconds: done!.cpuSeconds - ready!.cpuSeconds,
    wallSeconds: done!.wallSeconds - ready!.wallSeconds,
    peakMb: done!.peakMb,
  }
}

/** `@@ name milliseconds cpu-seconds peak-kilobytes …` */
function markOf(output: string, name: string): Measured {
  const match = new RegExp(`^@@ ${name} (\\d+) ([\\d.]+) (\\d+)`, 'm').exec(output)
  if (match === null) throw new Error(`no mark "${name}" in: ${output.slice(-2000)}`)
  return {
    wallSeconds: Number(match[1]) / 1000,
    cpuSeconds: Number(match[2]),
    peakMb: Number(match[3]) / 1024,
  }
}

/** Of the rows in the ORC files of the folder: the latest of each id, unless it was deleted. */
export async function checksumOf(folder: string): Promise<Checksum> {
  const latest = new Map<number, { readonly position: number; readonly crc: number | null }>()
  for (const name of await readdir(folder)) {
    if (!name.endsWith('.orc')) continue
    const reader = await OrcReader.open(new BufferSource(await readFile(join(folder, name))))
    for await (const part of reader.rows()) {
      for (const values of part) {
        const [id, uid, pid, status, note, amount, created, updated, op, position] =
          values as readonly (string | number)[]
        const text = String(amount).padStart(3, '0')
        const row = {
          id: Number(id),
          uid: Number(uid),
          pid: Number(pid),
          status: String(status),
          note: String(note),
          amount: `${text.slice(0, -2)}.${text.slice(-2)}`,
          created_at: Number(created),
          updated_at: Number(updated),
        }
        const known = latest.get(row.id)
        if (known !== undefined && known.position > Number(position)) continue
        const crc = op === 'd' ? null : orderChecksum(row)
        latest.set(row.id, { position: Number(position), crc })
      }
    }
  }
  const rows = [...latest].filter(([, { crc }]) => crc !== null)
  return {
    rows: rows.length,
    sumCrc: rows.reduce((sum, [, { crc }]) => sum + crc!, 0),
    sumId: rows.reduce((sum, [id]) => sum + id, 0),
  }
}
