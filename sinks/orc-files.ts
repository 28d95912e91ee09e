/** ORC in files: byte sinks and sources over staging's files, and writing rows batch by batch. */
import { WarehouseError } from '../model/errors.ts'
import type { OrcStructType, OrcValue, OrcWriterOptions } from '../orc/index.ts'
import { OrcError, OrcReader, OrcWriter } from '../orc/index.ts'
import type { NewFile, StagingFiles } from './staging-files.ts'

/** A stripe is held in memory while it is written and while it is read. */
const stripeBytes = 16 * 1024 * 1024

/** A file that is being written. It is durable, without its name, when `close` resolves. */
export class OrcFileWriter {
  readonly path: string
  readonly #file: NewFile
  readonly #writer: OrcWriter
  #sizeBytes = 0
  #rowCount = 0
  #end: { sizeBytes: number; rowCount: number } | null = null

  private constructor(
    path: string,
    file: NewFile,
    schema: OrcStructType,
    options: OrcWriterOptions,
  ) {
    this.path = path
    this.#file = file
    const write = async (bytes: Uint8Array): Promise<void> => {
      await file.write(bytes)
      this.#sizeBytes += bytes.length
    }
    this.#writer = new OrcWriter({ write }, schema, {
      compression: 'zstd',
      stripeBytes,
      ...options,
    })
  }

  static async create(
    files: Pick<StagingFiles, 'create'>,
    path: string,
    schema: OrcStructType,
    options: OrcWriterOptions = {},
  ): Promise<OrcFileWriter> {
    return new OrcFileWriter(path, await files.create(path), schema, options)
  }

  get rowCount(): number {
    return this.#rowCount
  }

  /** What was written so far, without the rows of the open stripe. */
  get sizeBytes(): number {
    return this.#sizeBytes
  }

  /** True when `flush` is due: the caller awaits it before the next row. */
  writeRow(values: readonly OrcValue[]): boolean {
    this.#writer.writeRow(values)
    this.#rowCount += 1
    return this.#writer.isStripeFull
  }

  flush(): Promise<void> {
    return this.#writer.flushStripe()
  }

  /** Writes the end of the file, which then waits for `close`. */
  async finish(): Promise<{ sizeBytes: number; rowCount: number }> {
    const { sizeBytes, rowCount } = await this.#writer.close()
    this.#end = { sizeBytes, rowCount }
    return this.#end
  }

  async close(): Promise<{ sizeBytes: number; rowCount: number }> {
    const end = this.#end ?? (await this.finish())
    await this.#file.close()
    return end
  }

  /** Gives up and lets go of what the file holds. Never rejects. */
  abort(): Promise<void> {
    return this.#file.abort()
  }
}

/** Rows of a file in order, at most about a thousand at once. Errors name the file. */
export async function* readOrcRows(
  files: Pick<StagingFiles, 'open'>,
  path: string,
  columns?: readonly string[],
): AsyncGenerator<readonly (readonly OrcValue[])[]> {
  const source = await files.open(path)
  try {
    const reader = await OrcReader.open(source)
    yield* reader.rows(columns === undefined ? {} : { columns })
  } catch (cause) {
    if (!(cause instanceof OrcError)) throw cause
    throw new WarehouseError('warehouse-unreadable', `${path} is damaged: ${cause.message}`, {
      context: { file: path },
      cause,
    })
  } finally {
    await source.close()
  }
}
