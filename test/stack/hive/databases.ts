/** The databases that changes come from, by their own command-line clients. */
import { spawn } from 'node:child_process'
import { mariadbClient, psql } from '../../../scripts/stack/databases.ts'
import type { StackOptions } from '../../../scripts/stack/parts.ts'

export type DatabaseKind = 'mariadb' | 'postgres'

/** Runs statements, one after the other; resolves to what they print. */
export async function runSql(
  stack: StackOptions,
  kind: DatabaseKind,
  statements: readonly string[],
): Promise<string> {
  const text = statements.map(one => `${one};\n`).join('')
  if (kind === 'postgres') {
    const { command, args, env } = psql(stack, 'demo')
    return await run(command, [...args, '-Atq', '-v', 'ON_ERROR_STOP=1'], text, env)
  }
  const { command, args } = mariadbClient(stack, 'demo')
  const more = ['--default-character-set=utf8mb4', '--batch', '--raw', '--skip-column-names']
  return await run(command, [...args, ...more], text, {})
}

function run(
  command: string,
  args: readonly string[],
  input: string,
  env: NodeJS.ProcessEnv,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { env: { ...process.env, ...env } })
    let output = ''
    let complaint = ''
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => (complaint += chunk.toString()))
    child.on('error', reject)
    child.on('close', code => {
      if (code === 0) resolve(output)
      else reject(new Error(`${command} ended with ${code}: ${complaint}`))
    })
    child.stdin.end(input)
  })
}

/**
 * The rows of a table as texts, in key order, as the database has them: the second opinion that tables of
 * Hive are held against. `columns` are expressions that give text or null.
 */
export async function rowsOf(
  stack: StackOptions,
  kind: DatabaseKind,
  table: string,
  columns: readonly string[],
): Promise<readonly (readonly (string | null)[])[]> {
  const array = kind === 'mariadb' ? 'JSON_ARRAY' : 'json_build_array'
  const sql = `SELECT ${array}(${columns.join(', ')}) FROM ${table}`
  const lines = (await runSql(stack, kind, [sql])).split('\n').filter(line => line !== '')
  return sorted(lines.map(line => JSON.parse(line) as (string | null)[]))
}

export function sorted<T extends readonly (string | null)[]>(rows: readonly T[]): readonly T[] {
  const text = (row: T): string => JSON.stringify(row)
  return [...rows].sort((a, b) => (text(a) < text(b) ? -1 : 1))
}
