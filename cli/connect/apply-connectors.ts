/**
 * Has Kafka Connect run connectors as they are configured. First everything is looked at: the settings by
 * which changes are lost, and what Connect itself says of them; only then is anything changed. What is said
 * never has a secret in it.
 */
import { isObject } from '../../formats/json/json-messages.ts'
import { SourceError } from '../../model/errors.ts'
import { withoutSecrets } from '../../model/secrets.ts'
import type { Clock } from '../../runtime/clock.ts'
import type { Config } from '../config-schema.ts'
import { plural } from '../output.ts'
import { nearest } from '../suggestion.ts'
import type { ConnectAddress, ConnectAnswer } from './connect-api.ts'
import { askConnect, whyNoAnswer } from './connect-api.ts'
import { connectorFindings, mayFeed } from './connector-findings.ts'
import type { Finding } from './finding.ts'
import { ill, well } from './finding.ts'

type Settings = Readonly<Record<string, string>>

export interface ApplyOptions {
  readonly config: Config
  readonly address: ConnectAddress
  /** With their secrets in them. */
  readonly connectors: Readonly<Record<string, Settings>>
  /** Texts that are not shown, whoever says them. */
  readonly secrets: readonly string[]
  readonly clock: Clock
  /** How long a connector may take until it runs. */
  readonly waitMs: number
  readonly dryRun: boolean
  /** Also settings by which changes are lost. */
  readonly force: boolean
  /** Starts again what has failed, also where nothing is changed. */
  readonly restartFailed: boolean
}

export interface Applied {
  /** `refused`: nothing was changed. `invalid`: neither, because Connect does not take the settings. */
  readonly outcome: 'done' | 'failed' | 'refused' | 'invalid'
}

const pollMs = 250
/** What ran before a change counts as running for a moment after it. */
const settleMs = 3000
/** Debezium asks the database while it validates. */
const validationMs = 60_000

export async function* applyConnectors(options: ApplyOptions): AsyncGenerator<Finding, Applied> {
  const { connectors, force, dryRun } = options
  const names = Object.keys(connectors)
  let isRefused = false
  for (const name of names) {
    for (const finding of settingFindings(options, name)) {
      isRefused ||= !finding.isWell
      yield finding
    }
  }
  if (isRefused && !force) return { outcome: 'refused' }
  const worker = new Worker(options)
  let isInvalid = false
  const classes = await worker.classes()
  for (const name of names) {
    for (const text of await worker.problems(connectors[name]!, name, classes)) {
      isInvalid = true
      yield ill(titleOf(name), text)
    }
  }
  if (isInvalid) return { outcome: 'invalid' }
  let isDone = true
  const changes = new Map<string, Change>()
  for (const name of names) changes.set(name, await worker.changeOf(name, connectors[name]!))
  if (dryRun) {
    for (const [name, change] of changes) yield well(titleOf(name), `would be ${textOf(change)}`)
    return { outcome: 'done' }
  }
  const before = new Map<string, Status>()
  for (const [name, change] of changes) {
    const status = await worker.status(name)
    const isChanged = change.kind !== 'unchanged'
    const isRestarted = !isChanged && options.restartFailed && failedOf(status) !== undefined
    if (isChanged) await worker.put(name, connectors[name]!)
    if (isRestarted) await worker.restart(name)
    if (isChanged || isRestarted) before.set(name, status)
  }
  for (const [name, change] of changes) {
    const { isRunning, text } = await worker.untilRunning(name, before.get(name))
    isDone &&= isRunning
    yield (isRunning ? well : ill)(titleOf(name), `${textOf(change)}; ${text}`)
  }
  return { outcome: isDone ? 'done' : 'failed' }
}

function titleOf(name: string): string {
  return `connector ${name}`
}

function* settingFindings({ config, connectors }: ApplyOptions, name: string): Generator<Finding> {
  const settings = connectors[name]!
  const what = titleOf(name)
  if (settings.name !== undefined && settings.name !== name) {
    yield ill(what, `its setting name is ${settings.name}: leave it out`)
  }
  if (!(settings['connector.class'] ?? '').startsWith('io.debezium.connector.')) {
    yield {
      what,
      isWell: true,
      level: 'note',
      text: 'it is none of Debezium’s, and was not looked at',
    }
    return
  }
  if (!mayFeed(config, { config: settings })) {
    const prefix = settings['topic.prefix'] ?? ''
    const text = `its topics begin with "${prefix}.", and \`source.topics\` takes none of them`
    yield { what, isWell: true, level: 'warning', text }
  }
  yield* connectorFindings(config, { name, config: settings, states: [] })
}

interface Change {
  readonly kind: 'created' | 'updated' | 'unchanged'
  /** Names of settings that differ. */
  readonly keys: readonly string[]
}

function textOf({ kind, keys }: Change): string {
  return kind === 'updated' ? `updated (${keys.join(', ')})` : kind
}

interface Running {
  readonly isRunning: boolean
  readonly text: string
}

/** The worker, asked about connectors. Every method: SourceError `connect-unreachable`. */
class Worker {
  readonly #options: ApplyOptions
  readonly #secrets: readonly string[]

  constructor(options: ApplyOptions) {
    this.#options = options
    this.#secrets = secretsOf(options)
  }

  /** Full names of its connectors' classes. */
  async classes(): Promise<readonly string[]> {
    const { text } = await this.#ask('/connector-plugins')
    const found: unknown = parsed(text)
    if (!Array.isArray(found)) {
      throw this.#unreachable('its answer has no plugins: is it the address of Kafka Connect?')
    }
    return found.flatMap((one: unknown) => {
      const name = isObject(one) ? one.class : null
      return typeof name === 'string' ? [name] : []
    })
  }

  /** What Connect says against the settings. */
  async problems(
    settings: Settings,
    name: string,
    classes: readonly string[],
  ): Promise<readonly string[]> {
    const wanted = settings['connector.class'] ?? ''
    const isThere = classes.some(one => one === wanted || one.split('.').at(-1) === wanted)
    if (!isThere) {
      const near = nearest(wanted, classes)
      const debezium = classes.filter(one => one.startsWith('io.debezium.'))
      const hint = near === null ? `it has ${debezium.join(', ')}` : `probably ${near} is meant`
      return [`connector.class: Connect has no ${wanted}; ${hint}`]
    }
    const path = `/connector-plugins/${encodeURIComponent(wanted)}/config/validate`
    const body = { ...settings, name }
    const { text } = await this.#ask(path, { method: 'PUT', body, timeoutMs: validationMs })
    const found: unknown = parsed(text)
    const configs: unknown = isObject(found) ? found.configs : null
    if (!Array.isArray(configs)) throw this.#unreachable(`it validates with ${cut(text)}`)
    return configs.flatMap((one: unknown) => {
      const value: unknown = isObject(one) ? one.value : null
      if (!isObject(value) || !Array.isArray(value.errors)) return []
      const key = String(value.name)
      return value.errors.map(error => this.#safe(`${key}: ${cut(String(error))}`))
    })
  }

  async changeOf(name: string, settings: Settings): Promise<Change> {
    const { status, text } = await this.#ask(`${pathOf(name)}/config`, {}, [404])
    if (status === 404) return { kind: 'created', keys: [] }
    const found: unknown = parsed(text)
    const before: Readonly<Record<string, unknown>> = isObject(found) ? found : {}
    const after: Settings = { ...settings, name }
    const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])]
    const differing = keys.filter(key => before[key] !== after[key]).sort()
    return { kind: differing.length === 0 ? 'unchanged' : 'updated', keys: differing }
  }

  async put(name: string, settings: Settings): Promise<void> {
    const { clock } = this.#options
    const deadlineMs = clock.monotonic() + this.#options.waitMs
    // 409: its group is being rebalanced, and it takes nothing meanwhile.
    const again = (): readonly number[] => (clock.monotonic() < deadlineMs ? [409] : [])
    const request = { method: 'PUT', body: settings, timeoutMs: validationMs }
    while ((await this.#ask(`${pathOf(name)}/config`, request, again())).status === 409) {
      await clock.sleep(pollMs)
    }
  }

  async restart(name: string): Promise<void> {
    const path = `${pathOf(name)}/restart?includeTasks=true&onlyFailed=true`
    await this.#ask(path, { method: 'POST' })
  }

  async status(name: string): Promise<Status> {
    const { status, text } = await this.#ask(`${pathOf(name)}/status`, {}, [404])
    return statusOf(status === 404 ? null : parsed(text))
  }

  /**
   * The connector and all tasks run, or one of them failed, or the time is over. `before`: the status before
   * a change, which Connect goes on to tell for a moment.
   */
  async untilRunning(name: string, before?: Status): Promise<Running> {
    const { clock, waitMs } = this.#options
    const beganMs = clock.monotonic()
    const isStale = ({ trace }: StatePart, ageMs: number): boolean =>
      before !== undefined &&
      ageMs < (failedOf(before)?.trace === trace ? 3 * settleMs : settleMs / 3)
    let sinceMs: number | null = null
    for (;;) {
      const status = await this.status(name)
      const nowMs = clock.monotonic()
      const failed = failedOf(status)
      if (failed !== undefined && !isStale(failed, nowMs - beganMs)) {
        return { isRunning: false, text: this.#failure(failed) }
      }
      sinceMs = isRunning(status) ? (sinceMs ?? nowMs) : null
      if (sinceMs !== null && (before === undefined || nowMs - sinceMs >= settleMs)) {
        return { isRunning: true, text: `it runs, ${plural(status.length - 1, 'task')}` }
      }
      if (nowMs - beganMs >= waitMs) {
        const states = status.map(({ part, state }) => `${part} ${state}`).join(', ') || 'no status'
        const advice = 'look at the worker’s log, or give --wait more seconds'
        const text = `after ${waitMs / 1000} s it does not run (${states}): ${advice}`
        return { isRunning: false, text }
      }
      await clock.sleep(pollMs)
    }
  }

  #failure({ part, trace }: StatePart): string {
    const advice = 'mend the cause, and apply with --restart-failed'
    return this.#safe(`${part} failed: ${causeOf(trace)}: ${advice}`)
  }

  async #ask(
    path: string,
    request: Parameters<typeof askConnect>[2] = {},
    allowed: readonly number[] = [],
  ): Promise<ConnectAnswer> {
    let answer: ConnectAnswer
    try {
      answer = await askConnect(this.#options.address, path, request)
    } catch (error) {
      if (!(error instanceof Error)) throw error
      throw this.#unreachable(`does not answer: ${whyNoAnswer(error)}`)
    }
    const { status, text } = answer
    if ((status < 200 || status > 299) && !allowed.includes(status)) {
      throw this.#unreachable(`answers ${status}: ${cut(messageOf(text))}`)
    }
    return answer
  }

  #unreachable(what: string): SourceError {
    // Not the whole address: it may have a password in it.
    const { host } = new URL(this.#options.address.url)
    return new SourceError('connect-unreachable', this.#safe(`Kafka Connect at ${host} ${what}`))
  }

  #safe(text: string): string {
    const shown = withoutSecrets(text)
    return this.#secrets.reduce((found, secret) => found.replaceAll(secret, '***'), shown)
  }
}

/** What was put in, and what is a secret by the name of its setting. The longest first: one may be in another. */
function secretsOf({ secrets, connectors, address }: ApplyOptions): readonly string[] {
  const named = Object.values(connectors).flatMap(settings =>
    Object.entries(settings).flatMap(([key, value]) =>
      /password|passphrase|secret|token|credential|jaas/i.test(key) ? [value] : [],
    ),
  )
  const own = address.user === undefined ? [] : [address.user.password]
  const all = [...secrets, ...named, ...own].filter(secret => secret !== '')
  return [...new Set(all)].toSorted((a, b) => b.length - a.length)
}

function pathOf(name: string): string {
  return `/connectors/${encodeURIComponent(name)}`
}

interface StatePart {
  /** `the connector`, `task 0`. */
  readonly part: string
  readonly state: string
  readonly trace: string
}

/** The connector and its tasks; empty when there is none. */
type Status = readonly StatePart[]

function failedOf(status: Status): StatePart | undefined {
  return status.find(({ state }) => state === 'FAILED')
}

function isRunning(status: Status): boolean {
  return status.length > 1 && status.every(({ state }) => state === 'RUNNING')
}

function statusOf(found: unknown): Status {
  if (!isObject(found)) return []
  const { connector, tasks } = found
  const list = Array.isArray(tasks) ? (tasks as readonly unknown[]) : []
  const parts = list.map(task => partOf(`task ${String(isObject(task) ? task.id : '?')}`, task))
  return [partOf('the connector', connector), ...parts].filter(part => part !== undefined)
}

function partOf(part: string, found: unknown): StatePart | undefined {
  if (!isObject(found) || typeof found.state !== 'string') return undefined
  return { part, state: found.state, trace: typeof found.trace === 'string' ? found.trace : '' }
}

/** The first line of a stack trace and the last cause in it, which says more. */
function causeOf(trace: string): string {
  const lines = trace.split('\n')
  const cause = lines.findLast(line => line.startsWith('Caused by: '))
  const first = lines[0]!.trim()
  return cut(cause === undefined ? first : `${first} (${cause.trim()})`)
}

function messageOf(text: string): string {
  const found: unknown = parsed(text)
  return isObject(found) && typeof found.message === 'string' ? found.message : text
}

function cut(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ').trim()
  return line.length > 500 ? `${line.slice(0, 499)}…` : line
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return null
  }
}
