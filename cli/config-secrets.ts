/**
 * Secrets of a configuration: `${env:NAME}` and `${file:PATH}` in the values of what connects somewhere
 * (`source.sasl`, `warehouse.auth`, …). A problem names what is missing; what was found is never shown.
 */
import { resolve } from 'node:path'
import type { ForagerError } from '../model/errors.ts'
import { keepSecret, minHiddenChars } from '../model/secrets.ts'
import type { FileSystem } from '../runtime/file-system.ts'
import type { Path, Problem } from './config.ts'
import type { ConnectorsConfig } from './connectors-schema.ts'

export type Environment = Readonly<Record<string, string | undefined>>

interface Context {
  readonly fileSystem: FileSystem
  /** Relative paths begin here. */
  readonly folder: string
  readonly env: Environment
  readonly lineAt: (path: Path) => number
}

const sections: readonly (readonly string[])[] = [
  ['source', 'sasl'],
  ['source', 'tls'],
  ['source', 'registry'],
  ['source', 'registry', 'tls'],
  ['source', 'database'],
  ['source', 'database', 'tls'],
  ['warehouse', 'auth'],
  ['warehouse', 'tls'],
  ['http'],
  ['history'],
  ['history', 'tls'],
  ['staging'],
  ['staging', 'tls'],
]

/** Their values are secrets, wherever they come from. */
const secretKeys = /^(password|passphrase|token|key|delegationToken)$/

function valueAt(given: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((value, key) => {
    return (value as Record<string, unknown> | null | undefined)?.[key]
  }, given)
}

export interface InsertedSecrets {
  readonly problems: readonly Problem[]
  /** Keys whose secrets are too short to be hidden wherever they stand. */
  readonly short: readonly string[]
}

/** Puts the secrets in, in place, and returns what was wrong. */
export async function insertSecrets(given: unknown, context: Context): Promise<InsertedSecrets> {
  const problems: Problem[] = []
  const short: string[] = []
  for (const section of sections) {
    const values = valueAt(given, section)
    if (typeof values !== 'object' || values === null) continue
    for (const [key, value] of Object.entries(values)) {
      if (typeof value !== 'string') continue
      const path = [...section, key]
      const found = await inserted(value, context)
      problems.push(
        ...found.problems.map(message => ({
          line: context.lineAt(path),
          message: `${path.join('.')}: ${message}`,
        })),
      )
      for (const secret of found.secrets) keepSecret(secret)
      // One may stand in the file as it is.
      if (secretKeys.test(key)) {
        keepSecret(found.text)
        const isShort = found.text !== '' && found.text.length < minHiddenChars
        if (isShort) short.push(path.join('.'))
      }
      Object.assign(values, { [key]: found.text })
    }
  }
  return { problems, short }
}

/** What is said of one at the start, and by `check`. */
export function shortSecretNote(key: string): string {
  return (
    `${key} has fewer than ${minHiddenChars} characters: a secret this short is hidden in messages only where ` +
    'they say what it is. Take a longer one'
  )
}

type Texts = Readonly<Record<string, string>>

export interface FilledConnectors {
  readonly password: string | undefined
  readonly configs: Readonly<Record<string, Texts>>
  /** What was put in. */
  readonly secrets: readonly string[]
  readonly problems: readonly Problem[]
}

/**
 * The part `connectors` with its secrets in it; only who applies it needs them. What Connect's own providers
 * stand for stays: `$${file:…}` becomes `${file:…}`, and other kinds are left as they are.
 */
export async function insertConnectorSecrets(
  { password, configs }: Pick<ConnectorsConfig, 'password' | 'configs'>,
  context: Omit<Context, 'lineAt'>,
): Promise<FilledConnectors> {
  const problems: Problem[] = []
  const secrets: string[] = []
  const fill = async (path: string, value: string, isForConnect: boolean): Promise<string> => {
    const found = await inserted(value, context, isForConnect)
    secrets.push(...found.secrets)
    problems.push(...found.problems.map(text => ({ line: 0, message: `${path}: ${text}` })))
    return found.text
  }
  const filled: Record<string, Texts> = {}
  for (const [name, settings] of Object.entries(configs)) {
    const texts: Record<string, string> = {}
    for (const [key, value] of Object.entries(settings)) {
      texts[key] = await fill(`connectors.configs.${name}.${key}`, value, true)
    }
    filled[name] = texts
  }
  const own =
    password === undefined ? undefined : await fill('connectors.password', password, false)
  return { password: own, configs: filled, secrets, problems }
}

interface Inserted {
  readonly text: string
  readonly secrets: readonly string[]
  readonly problems: readonly string[]
}

/** `isForConnect`: somebody else has placeholders in it, too. */
async function inserted(
  value: string,
  { env, fileSystem, folder }: Omit<Context, 'lineAt'>,
  isForConnect = false,
): Promise<Inserted> {
  const problems: string[] = []
  const secrets: string[] = []
  const parts: string[] = []
  const put = (secret: string): void => {
    parts.push(secret)
    secrets.push(secret)
  }
  let end = 0
  for (const { 0: whole, 1: dollar, 2: kind, 3: name = '', index } of value.matchAll(placeholder)) {
    parts.push(value.slice(end, index))
    end = index + whole.length
    if (isForConnect && dollar === '$') {
      parts.push(whole.slice(1))
      continue
    }
    parts.push(dollar ?? '')
    if (kind === 'env') {
      const found = env[name]
      if (found === undefined) problems.push(`the environment has no variable ${name}`)
      else put(found)
    } else if (kind === 'file') {
      const path = resolve(folder, name)
      try {
        const text = (await fileSystem.readFile(path)).toString('utf8')
        // An editor ends the last line; a password has none.
        put(text.replace(/\r?\n$/, ''))
      } catch (error) {
        problems.push((error as ForagerError).message)
      }
    } else if (isForConnect) {
      parts.push(whole)
    } else {
      problems.push(`there is no \${${kind}:…}: use \${env:NAME} or \${file:PATH}`)
    }
  }
  return { text: parts.join('') + value.slice(end), secrets, problems }
}

const placeholder = /(\$?)\$\{(\w+):([^}]*)\}/g
