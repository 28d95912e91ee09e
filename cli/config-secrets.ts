/**
 * Secrets of a configuration: `${env:NAME}` and `${file:PATH}` in the values of what connects somewhere
 * (`source.sasl`, `warehouse.auth`, …). A problem names what is missing; what was found is never shown.
 */
import { resolve } from 'node:path'
import type { ForagerError } from '../model/errors.ts'
import type { FileSystem } from '../runtime/file-system.ts'
import type { Path, Problem } from './config.ts'

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
  ['staging'],
  ['staging', 'tls'],
]

function valueAt(given: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((value, key) => {
    return (value as Record<string, unknown> | null | undefined)?.[key]
  }, given)
}

/** Puts the secrets in, in place, and returns what was wrong. */
export async function insertSecrets(given: unknown, context: Context): Promise<Problem[]> {
  const problems: Problem[] = []
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
      Object.assign(values, { [key]: found.text })
    }
  }
  return problems
}

async function inserted(
  value: string,
  { env, fileSystem, folder }: Context,
): Promise<{ readonly text: string; readonly problems: readonly string[] }> {
  const problems: string[] = []
  const parts: string[] = []
  let end = 0
  for (const { 0: whole, 1: kind, 2: name = '', index } of value.matchAll(placeholder)) {
    parts.push(value.slice(end, index))
    end = index + whole.length
    if (kind === 'env') {
      const found = env[name]
      if (found === undefined) problems.push(`the environment has no variable ${name}`)
      else parts.push(found)
    } else if (kind === 'file') {
      const path = resolve(folder, name)
      try {
        const text = (await fileSystem.readFile(path)).toString('utf8')
        // An editor ends the last line; a password has none.
        parts.push(text.replace(/\r?\n$/, ''))
      } catch (error) {
        problems.push((error as ForagerError).message)
      }
    } else {
      problems.push(`there is no \${${kind}:…}: use \${env:NAME} or \${file:PATH}`)
    }
  }
  return { text: parts.join('') + value.slice(end), problems }
}

const placeholder = /\$\{(\w+):([^}]*)\}/g
