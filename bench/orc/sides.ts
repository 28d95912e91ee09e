/** The two processes that are compared: both take a command a line and answer each with a line. */
import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { compileJava } from '../../test/interop/java.ts'
import { type DataSet, dataSets, schemaText } from './data.ts'

export interface SideOptions {
  readonly set: DataSet
  readonly rowCount: number
  readonly batchRows: number
  readonly way: 'batches' | 'rows'
}

const running = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

export class Side {
  readonly name: string
  readonly #child: ChildProcess
  readonly #lines: AsyncIterator<string>
  readonly #closed: Promise<unknown>
  #errors = ''

  constructor(name: string, command: string, args: readonly string[]) {
    this.name = name
    const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] })
    this.#child = child
    this.#lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
    child.stderr.on('data', (chunk: Buffer) => {
      this.#errors += chunk.toString()
    })
    // A process that ended is noticed by its missing answer, which tells why.
    child.stdin.on('error', () => undefined)
    child.on('error', error => {
      this.#errors += String(error)
    })
    this.#closed = new Promise(done => child.on('close', done))
    void this.#closed.then(() => running.delete(child))
    running.add(child)
  }

  async ask(...fields: readonly string[]): Promise<string[]> {
    this.#child.stdin!.write(`${fields.join('\t')}\n`)
    for (;;) {
      const line = await this.#lines.next()
      if (line.done) {
        await this.#closed
        throw new Error(`${this.name}: "${fields.join(' ')}" failed: ${this.#errors.slice(-4000)}`)
      }
      // Libraries may say something, too.
      if (line.value.startsWith('=')) return line.value.split('\t').slice(1)
    }
  }

  async end(): Promise<void> {
    this.#child.stdin!.end()
    await this.#closed
  }
}

export function startOwn({ set, rowCount, batchRows, way }: SideOptions): Side {
  const program = join(import.meta.dirname, 'own-side.ts')
  const args = [program, set, String(rowCount), String(batchRows), way]
  return new Side('ours', process.execPath, args)
}

export async function startJava({ set, rowCount, batchRows }: SideOptions): Promise<Side> {
  const classPath = await compileJava(join(import.meta.dirname, '..', 'java'), 'bench-classes')
  const { hasNulls } = dataSets[set]
  const data = [schemaText(set), String(hasNulls), String(rowCount), String(batchRows)]
  const options = ['-Xmx4g', '-Dorg.slf4j.simpleLogger.defaultLogLevel=error']
  return new Side('Java', 'java', [...options, '-cp', classPath, 'OrcBench', ...data])
}
