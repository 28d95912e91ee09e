/**
 * A lock file: who holds it is written in it, and the lock of a process that is gone is void.
 *
 * The name is taken with a link, so one of many gets it. To take a void lock away is the dangerous
 * part: between looking at it and removing it another process may have made it its own. So whoever
 * asks first leaves a claim (`<path>.<unique>`), then looks for others' claims, and removes a void
 * lock only as the only claimant: of two, at least the later one sees the other.
 *
 * Whether a process runs can be seen from the same pid namespace of the same machine only. A lock
 * from elsewhere (another container, a shared volume) is never judged void: it is refused with advice.
 */
import { basename, dirname, join } from 'node:path'
import { StateError } from '../model/errors.ts'
import type { Clock } from './clock.ts'
import type { FileSystem } from './file-system.ts'
import type { Random } from './random.ts'

/** Who holds a lock: a process, and where its id means something. Unknown parts are empty. */
export interface LockHolder {
  readonly pid: number
  /** Ids are used again, starts are not. */
  readonly start: string
  /** Of the machine's running system: another one after a restart. */
  readonly boot: string
  readonly pidNamespace: string
  readonly host: string
}

export interface LockContext {
  readonly fileSystem: FileSystem
  readonly clock: Clock
  readonly random: Random
  readonly self: LockHolder
  /** Of a process in our own pid namespace. */
  readonly isRunning: (holder: LockHolder) => Promise<boolean>
}

const claimRounds = 100
const claimWaitMs = 20

/** StateError `state-locked` when somebody else holds it, or may hold it. */
export async function lockFile(
  path: string,
  context: LockContext,
): Promise<{ release(): Promise<void> }> {
  const { fileSystem, random, self } = context
  const claim = `${path}.${random.id()}`
  const text = holderText(self, claim)
  await write(fileSystem, claim, text)
  try {
    // A void lock is taken away once, or a few times when many ask: never for ever.
    for (let round = 0; round < claimRounds; round += 1) {
      if (await fileSystem.linkNew(claim, path))
        return { release: () => release(path, text, context) }
      await refuseLiving(path, context)
      await waitForClaims(path, claim, context)
      // Only now nobody else removes it: what is there is judged anew.
      await refuseLiving(path, context)
      await fileSystem.remove(path)
    }
    throw locked(path, `others ask for ${path} all the time`)
  } finally {
    await fileSystem.remove(claim)
  }
}

/** Ours may have been removed by hand, and taken by another process since. */
async function release(path: string, text: string, { fileSystem }: LockContext): Promise<void> {
  if ((await readText(fileSystem, path)) === text) await fileSystem.remove(path)
}

/** Of several claimants the one with the first name waits, the others give up. */
async function waitForClaims(path: string, own: string, context: LockContext): Promise<void> {
  const { fileSystem, clock } = context
  const prefix = `${basename(path)}.`
  for (let round = 0; round < claimRounds; round += 1) {
    const others = (await fileSystem.list(dirname(path)))
      .filter(name => name.startsWith(prefix))
      .map(name => join(dirname(path), name))
      .filter(name => name !== own)
    let living = 0
    for (const other of others) {
      const text = await readText(fileSystem, other)
      // One that is only half there belongs to a process that has yet to look for ours.
      if (text === null || parseHolder(text) === null) continue
      if ((await stateOf(text, context)) === 'void') {
        await fileSystem.remove(other)
        continue
      }
      if (other < own) throw locked(path, `${holderName(text)} is about to hold ${path}`)
      living += 1
    }
    if (living === 0) return
    await clock.sleep(claimWaitMs)
  }
  throw locked(path, `another process asks for ${path} and does not go on`)
}

async function refuseLiving(path: string, context: LockContext): Promise<void> {
  const text = await readText(context.fileSystem, path)
  const state = text === null ? 'void' : await stateOf(text, context)
  if (text === null || state === 'void') return
  if (state === 'held') throw locked(path, `${holderName(text)} holds ${path}`)
  const { pid, host } = parseHolder(text)!
  throw locked(
    path,
    `${path} was made by process ${pid} on ${host}, in another container or on another machine: ` +
      'whether it still runs cannot be seen from here; when it does not, remove that file',
  )
}

async function stateOf(
  text: string,
  { self, isRunning }: LockContext,
): Promise<'held' | 'elsewhere' | 'void'> {
  const holder = parseHolder(text)
  if (holder === null) return 'void'
  const isSamePlace = holder.host === self.host && holder.pidNamespace === self.pidNamespace
  if (isSamePlace && holder.boot === self.boot) return (await isRunning(holder)) ? 'held' : 'void'
  // The machine itself (no container) was started anew since: nothing of before runs.
  if (isSamePlace && self.pidNamespace === machineNamespace) return 'void'
  return 'elsewhere'
}

/** Linux gives the pid namespace of the machine itself this number (`PROC_PID_INIT_INO`). */
const machineNamespace = 'pid:[4026531836]'

function holderText({ pid, start, boot, pidNamespace, host }: LockHolder, claim: string): string {
  const words = [pid, start, boot, pidNamespace, host, basename(claim)]
  return words.map(word => (word === '' ? '-' : word)).join(' ')
}

/** Null for what no process wrote as a whole: a file that a power cut left. */
function parseHolder(text: string): LockHolder | null {
  const words = text.split(' ').map(word => (word === '-' ? '' : word))
  const [pid = '', start = '', boot = '', pidNamespace = '', host = ''] = words
  if (words.length < 6 || !/^[1-9]\d*$/.test(pid)) return null
  return { pid: Number(pid), start, boot, pidNamespace, host }
}

function holderName(text: string): string {
  return `process ${parseHolder(text)?.pid}`
}

function locked(path: string, message: string): StateError {
  return new StateError('state-locked', message, { context: { file: path } })
}

async function write(fileSystem: FileSystem, path: string, text: string): Promise<void> {
  const handle = await fileSystem.open(path, 'write')
  try {
    await handle.write(Buffer.from(text), 0)
  } finally {
    await handle.close()
  }
}

/** Null when it is gone by now. */
async function readText(fileSystem: FileSystem, path: string): Promise<string | null> {
  if ((await fileSystem.stat(path)) === null) return null
  try {
    return (await fileSystem.readFile(path)).toString('utf8')
  } catch (error) {
    if ((await fileSystem.stat(path)) === null) return null
    throw error
  }
}
