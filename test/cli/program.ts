/** The program as its users run it: a process of its own, in a folder of its own. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { openApplication } from '../../cli/application.ts'
import type { LoadedConfig } from '../../cli/config.ts'
import { readConfig } from '../../cli/config.ts'
import { formatSummary } from '../../cli/summary.ts'
import type { ForagerError } from '../../model/errors.ts'
import { textLogger } from '../../observe/logger.ts'
import { CounterRegistry } from '../../observe/metrics.ts'
import { nodeFileSystem } from '../../runtime/file-system.ts'
import { listTables } from '../../sinks/embedded/table-folders.ts'
import { openTable } from '../../sinks/embedded/table-reader.ts'
import { inTemporaryFolder } from '../log/logs.ts'

const entry = join(import.meta.dirname, '../../cli/forager.js')
export const fixtures = join(import.meta.dirname, '../fixtures')

export interface Outcome {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>
  /** Called with what the process says on standard error, as it comes. */
  readonly onError?: (chunk: string, kill: (signal: NodeJS.Signals) => void) => void
  /** A shell command that the program is started by: `"$@"` is the program. */
  readonly shell?: string
}

export class Program {
  readonly folder: string

  constructor(folder: string) {
    this.folder = folder
  }

  path(...parts: string[]): string {
    return join(this.folder, ...parts)
  }

  async write(name: string, content: string | Uint8Array): Promise<void> {
    await writeFile(this.path(name), content)
  }

  async run(args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
    const program = [process.execPath, entry, ...args]
    const [command, ...rest] =
      options.shell === undefined ? program : ['sh', '-c', options.shell, 'sh', ...program]
    const child = spawn(command!, rest, {
      cwd: this.folder,
      env: { ...process.env, ...options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    child.stderr.on('data', (chunk: Buffer) => {
      options.onError?.(chunk.toString(), signal => child.kill(signal))
    })
    const [stdout, stderr, [code]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, 'exit') as Promise<[number | null]>,
    ])
    return { code, stdout, stderr }
  }

  /** The same as `forager run`, in this process: what it would print, and the error it would end with. */
  async runHere(config = 'forager.yaml'): Promise<{
    readonly error: string | null
    readonly warnings: readonly string[]
    readonly summary: string
  }> {
    const { loaded, problems } = await readConfig(nodeFileSystem, this.path(config))
    if (loaded === null) throw new Error(JSON.stringify(problems))
    const warnings: string[] = []
    const metrics = new CounterRegistry()
    const logger = textLogger(line => void warnings.push(line))
    const parts = { logger, metrics, reach: () => undefined }
    const error = await runToEnd(loaded, parts).then(
      () => null,
      (reason: ForagerError) => reason.describe(),
    )
    return { error, warnings, summary: formatSummary(metrics) }
  }

  /** All tables, each row as JSON text of its values, read in this process. */
  async tables(): Promise<Record<string, string[]>> {
    const root = this.path('warehouse')
    const found: Record<string, string[]> = {}
    for (const name of await listTables(nodeFileSystem, root)) {
      const { rows, schema } = await openTable(nodeFileSystem, root, name)
      const lines: string[] = []
      for await (const part of rows()) {
        for (const { values } of part) {
          const named = schema.columns.map(({ name: column }, index) => [column, values[index]])
          lines.push(JSON.stringify(named, plain))
        }
      }
      found[name] = lines
    }
    return found
  }
}

async function runToEnd(
  loaded: LoadedConfig,
  parts: Parameters<typeof openApplication>[1],
): Promise<void> {
  const { streams, withLine, close } = await openApplication(loaded, parts)
  try {
    await streams.run(undefined, { until: 'end' })
  } catch (error) {
    throw withLine(error)
  } finally {
    await close()
  }
}

function plain(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? `${value}n` : value
}

export async function inFolder<T>(action: (program: Program) => Promise<T>): Promise<T> {
  return await inTemporaryFolder(folder => action(new Program(folder)))
}

/** The smallest configuration, with what a test adds to it. */
export function configText(rest: { source?: string; more?: string; to?: string } = {}): string {
  return `applicationId: shop
source: { type: file, path: events.jsonl, format: debezium-json${rest.source ?? ''} }
tables:
  - { from: "demo.*", to: "${rest.to ?? 'ods.{table}'}" }
warehouse: { type: embedded, path: ./warehouse }
${rest.more ?? ''}`
}
