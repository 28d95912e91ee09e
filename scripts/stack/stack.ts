/** Brings parts of the stack up and down. Each runs by itself, with a pid file and a log file. */
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, open, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Part, StackOptions } from './parts.ts'
import { partFolder, parts } from './parts.ts'

export type Say = (line: string) => void

export function partsNamed(names: readonly string[]): readonly Part[] {
  const unknown = names.filter(name => !parts.some(part => part.name === name))
  if (unknown.length > 0) {
    const known = parts.map(part => part.name).join(', ')
    throw new Error(`there is no part "${unknown.join('", "')}" of the stack (there are: ${known})`)
  }
  return parts.filter(part => (names.length === 0 ? !part.isExtra : names.includes(part.name)))
}

/** Starts what does not run yet, all at once: brokers of a cluster wait for each other. */
export async function up(names: readonly string[], options: StackOptions, say: Say): Promise<void> {
  await mkdir(options.home, { recursive: true })
  const started: Part[] = []
  for (const part of partsNamed(names)) {
    if (await part.answers(options)) {
      if ((await pidOf(part, options)) === null) {
        throw new Error(`${part.name}: something else answers on its port; use --port-offset`)
      }
      say(`${part.name}: runs already`)
      continue
    }
    if (!part.isFetched(options)) {
      say(`${part.name}: fetches ${part.downloads}`)
      await part.fetch(options)
    }
    await start(part, options)
    started.push(part)
  }
  const beganMs = performance.now()
  for (const part of started) {
    await untilReady(part, options)
    say(`${part.name}: answers after ${((performance.now() - beganMs) / 1000).toFixed(1)} s`)
  }
}

/** Ends what runs, the last first. */
export async function down(
  names: readonly string[],
  options: StackOptions,
  say: Say,
): Promise<void> {
  const named = names.length === 0 ? parts : partsNamed(names)
  for (const part of named.toReversed()) {
    const pid = await pidOf(part, options)
    if (pid === null) continue
    await end(pid)
    await rm(pidFile(part, options), { force: true })
    say(`${part.name}: ended`)
  }
}

/** Nothing answers on its ports. */
export async function isFree(options: StackOptions): Promise<boolean> {
  const answers = await Promise.all(parts.map(part => part.answers(options)))
  return !answers.includes(true)
}

/** Ends a part at once, as a crash does, and starts it again. */
export async function restart(name: string, options: StackOptions): Promise<void> {
  await crash(name, options)
  await up([name], options, () => undefined)
}

/** Ends a part at once, and leaves what it has. */
export async function crash(name: string, options: StackOptions): Promise<void> {
  const pid = await signal(name, options, 'SIGKILL')
  while (isAlive(pid)) await sleep(50)
}

/** Resolves to the id of the process. */
export async function signal(
  name: string,
  options: StackOptions,
  sent: NodeJS.Signals,
): Promise<number> {
  const [part] = partsNamed([name])
  const pid = part === undefined ? null : await pidOf(part, options)
  if (pid === null) throw new Error(`${name} does not run`)
  process.kill(pid, sent)
  return pid
}

export async function status(options: StackOptions, say: Say): Promise<void> {
  for (const part of parts) {
    const pid = await pidOf(part, options)
    const answers = pid !== null && (await part.answers(options))
    say(
      `${part.name}: ${pid === null ? 'down' : answers ? `up (pid ${pid})` : `starts (pid ${pid})`}`,
    )
  }
}

export function logFile(part: Part, options: StackOptions): string {
  return join(partFolder(part.name, options), 'output.log')
}

/** Null when it does not run. */
export async function pidOf(part: Part, options: StackOptions): Promise<number | null> {
  const path = pidFile(part, options)
  if (!existsSync(path)) return null
  const pid = Number(await readFile(path, 'utf8'))
  return isAlive(pid) ? pid : null
}

function pidFile(part: Part, options: StackOptions): string {
  return join(partFolder(part.name, options), 'pid')
}

async function start(part: Part, options: StackOptions): Promise<void> {
  await mkdir(partFolder(part.name, options), { recursive: true })
  const { command, args } = await part.prepare(options)
  const log = await open(logFile(part, options), 'a')
  const child = spawn(command, args, { detached: true, stdio: ['ignore', log.fd, log.fd] })
  child.unref()
  await log.close()
  await writeFile(pidFile(part, options), String(child.pid))
}

async function untilReady(part: Part, options: StackOptions): Promise<void> {
  const deadline = performance.now() + part.readyWithinMs
  while (!(await part.answers(options))) {
    if ((await pidOf(part, options)) === null || performance.now() > deadline) {
      const tail = (await readFile(logFile(part, options), 'utf8')).split('\n').slice(-15)
      throw new Error(`${part.name} did not start; the end of its log:\n${tail.join('\n')}`)
    }
    await sleep(200)
  }
}

async function end(pid: number): Promise<void> {
  process.kill(pid, 'SIGTERM')
  for (let tries = 0; tries < 150 && isAlive(pid); tries += 1) await sleep(200)
  if (isAlive(pid)) process.kill(pid, 'SIGKILL')
  while (isAlive(pid)) await sleep(50)
}

/** A process that ended and was not waited for is a zombie: it is not alive. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
