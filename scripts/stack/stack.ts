/** Brings parts of the stack up and down. Each runs by itself, with a pid file and a log file. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, open, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect } from './connect.ts'
import { mariadb, postgres } from './databases.ts'
import { fetchAll } from './downloads.ts'
import { datanode, namenode } from './hdfs.ts'
import { hiveserver2, metastore } from './hive.ts'
import { cluster, kafka, secureKafka } from './kafka.ts'
import type { Part, StackOptions } from './parts.ts'
import { allPorts, partFolder, portOf } from './parts.ts'
import { canConnect } from './probes.ts'
import type { ProcessId } from './processes.ts'
import * as processes from './processes.ts'
import { registry } from './registry.ts'

export type Say = (line: string) => void

/** What a part needs comes before it. */
export const parts: readonly Part[] = [
  kafka,
  secureKafka,
  ...cluster,
  registry,
  connect,
  mariadb,
  postgres,
  namenode,
  datanode,
  metastore,
  hiveserver2,
]

/** All but the extra ones when none is named. */
export function partsNamed(names: readonly string[]): readonly Part[] {
  const unknown = names.filter(name => !parts.some(part => part.name === name))
  if (unknown.length > 0) {
    const known = parts.map(part => part.name).join(', ')
    throw new Error(`there is no part "${unknown.join('", "')}" of the stack (there are: ${known})`)
  }
  return parts.filter(part => (names.length === 0 ? !part.isExtra : names.includes(part.name)))
}

/** With what they need, in the order of starting. */
function withNeeds(named: readonly Part[]): readonly Part[] {
  const wanted = new Set(named)
  for (const part of parts.toReversed()) {
    if (!wanted.has(part)) continue
    for (const need of parts) if (part.needs.includes(need.name)) wanted.add(need)
  }
  return parts.filter(part => wanted.has(part))
}

/**
 * Starts what does not run yet and what that needs, each as soon as what it needs answers. What needs
 * nothing starts at once: brokers of a cluster wait for each other.
 */
export async function up(
  names: readonly string[],
  options: StackOptions,
  say: Say,
): Promise<readonly Part[]> {
  const wanted = withNeeds(partsNamed(names))
  await mkdir(options.home, { recursive: true })
  await fetchAll(
    wanted.flatMap(part => part.downloads),
    options.home,
    say,
  )
  const coming = new Map<string, Promise<void>>()
  const bringAfterNeeds = async (part: Part): Promise<void> => {
    for (const name of part.needs) await coming.get(name)
    await bring(part, options, say)
  }
  for (const part of wanted) coming.set(part.name, bringAfterNeeds(part))
  await Promise.allSettled(coming.values())
  await Promise.all(coming.values())
  return wanted
}

async function bring(part: Part, options: StackOptions, say: Say): Promise<void> {
  const running = await processOf(part, options)
  const answers = await part.answers(options)
  if (answers && running === null) {
    throw new Error(`${part.name}: something else answers on its port; use --port-offset`)
  }
  if (answers) return say(`${part.name}: runs already`)
  const beganMs = performance.now()
  if (running === null) await start(part, options)
  await untilReady(part, options)
  say(`${part.name}: answers after ${((performance.now() - beganMs) / 1000).toFixed(1)} s`)
}

/** Ends what runs, the last first: all of it when none is named. */
export async function down(
  names: readonly string[],
  options: StackOptions,
  say: Say,
): Promise<void> {
  const named = names.length === 0 ? parts : partsNamed(names)
  for (const part of named.toReversed()) {
    const running = await processOf(part, options)
    if (running === null) continue
    await processes.end(running, part.stopSignal ?? 'SIGTERM')
    await rm(pidFile(part, options), { force: true })
    say(`${part.name}: ended`)
  }
}

/**
 * Takes the ports of a stack for as long as this process lives, or until what it resolves to is called. Null
 * when something listens on one of them, or somebody else has them: of two runs of tests that begin at once
 * neither listens yet when the other looks.
 */
export async function claim(options: StackOptions): Promise<(() => Promise<void>) | null> {
  const taken = await Promise.all(allPorts(options).map(canConnect))
  if (taken.includes(true)) return null
  const server = createServer(socket => socket.destroy())
  server.listen({ host: '127.0.0.1', port: portOf('claim', options) })
  try {
    await once(server, 'listening')
  } catch {
    return null
  }
  server.unref()
  return async () => {
    server.close()
    await once(server, 'close')
  }
}

/** Ends a part at once, as a crash does, and starts it again. */
export async function restart(name: string, options: StackOptions): Promise<void> {
  await crash(name, options)
  await up([name], options, () => undefined)
}

/** Ends a part at once, and leaves what it has. */
export async function crash(name: string, options: StackOptions): Promise<void> {
  await processes.end(await runningPart(name, options), 'SIGKILL')
}

/** Resolves to the id of the process. */
export async function signal(
  name: string,
  options: StackOptions,
  sent: NodeJS.Signals,
): Promise<number> {
  const { pid } = await runningPart(name, options)
  process.kill(pid, sent)
  return pid
}

async function runningPart(name: string, options: StackOptions): Promise<ProcessId> {
  const [part] = partsNamed([name])
  const running = part === undefined ? null : await processOf(part, options)
  if (running === null) throw new Error(`${name} does not run`)
  return running
}

export async function status(options: StackOptions, say: Say): Promise<void> {
  const rows = await Promise.all(
    parts.map(async part => {
      const running = await processOf(part, options)
      if (running === null) return [part.name, 'down', '', '']
      const state = (await part.answers(options)) ? 'up' : 'does not answer'
      return [part.name, state, `pid ${running.pid}`, part.address(options)]
    }),
  )
  const widths = [0, 1, 2].map(column => Math.max(...rows.map(row => row[column]!.length)))
  for (const row of rows) {
    say(
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
  }
}

/** The last lines of what a part said; logs grow, and only their end is read. */
export async function logTail(part: Part, options: StackOptions, lines: number): Promise<string> {
  const path = logFile(part, options)
  if (!existsSync(path)) return '(no log)'
  await using file = await open(path)
  const { size } = await file.stat()
  const length = Math.min(size, 256 * 1024)
  const { buffer } = await file.read(Buffer.alloc(length), 0, length, size - length)
  return buffer.toString().trimEnd().split('\n').slice(-lines).join('\n')
}

function logFile(part: Part, options: StackOptions): string {
  return join(partFolder(part.name, options), 'output.log')
}

/** Null when it does not run. The pid file may be older than the machine's last start. */
async function processOf(part: Part, options: StackOptions): Promise<ProcessId | null> {
  const path = pidFile(part, options)
  if (!existsSync(path)) return null
  const [pid, began] = (await readFile(path, 'utf8')).split(' ')
  const running = await processes.processOf(Number(pid))
  return running?.began === began ? running : null
}

function pidFile(part: Part, options: StackOptions): string {
  return join(partFolder(part.name, options), 'pid')
}

async function start(part: Part, options: StackOptions): Promise<void> {
  const folder = partFolder(part.name, options)
  await mkdir(folder, { recursive: true })
  const { command, args, cwd = folder } = await part.prepare(options)
  const log = await open(logFile(part, options), 'a')
  const child = spawn(command, args, {
    cwd,
    detached: true,
    stdio: ['ignore', log.fd, log.fd],
  })
  // Without a listener an unknown command would end us; no pid says the same.
  child.once('error', () => undefined)
  child.unref()
  await log.close()
  const running = child.pid === undefined ? null : await processes.processOf(child.pid)
  if (running === null) throw new Error(`${part.name}: ${command} could not be started`)
  await writeFile(pidFile(part, options), `${running.pid} ${running.began}`)
}

async function untilReady(part: Part, options: StackOptions): Promise<void> {
  const deadline = performance.now() + part.readyWithinMs
  while (!(await part.answers(options))) {
    if ((await processOf(part, options)) === null || performance.now() > deadline) {
      const tail = await logTail(part, options, 15)
      throw new Error(`${part.name} did not start; the end of its log:\n${tail}`)
    }
    await sleep(200)
  }
}
