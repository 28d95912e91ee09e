/** Files as sink and source of ORC. */
import type { FileHandle } from 'node:fs/promises'
import type { OrcSink, OrcSource } from '../../orc/index.ts'

export class FileSink implements OrcSink {
  readonly #handle: FileHandle

  constructor(handle: FileHandle) {
    this.#handle = handle
  }

  /** A write of a file may be a short one. */
  async write(bytes: Uint8Array): Promise<void> {
    for (let done = 0; done < bytes.length; ) {
      done += (await this.#handle.write(bytes, done)).bytesWritten
    }
  }
}

export class FileSource implements OrcSource {
  readonly sizeBytes: number
  readonly #handle: FileHandle

  static async of(handle: FileHandle): Promise<FileSource> {
    return new FileSource(handle, (await handle.stat()).size)
  }

  private constructor(handle: FileHandle, sizeBytes: number) {
    this.#handle = handle
    this.sizeBytes = sizeBytes
  }

  /** Shorter than asked for at the end of the file only. */
  async read(offset: number, length: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(length)
    let done = 0
    while (done < length) {
      const { bytesRead } = await this.#handle.read(bytes, done, length - done, offset + done)
      if (bytesRead === 0) break
      done += bytesRead
    }
    return bytes.subarray(0, done)
  }
}
