/**
 * A file that is being written to HDFS. Its bytes go to a name of the try's own, which becomes the
 * file's at the end: a try that was given up, and reaches a DataNode late, harms nothing.
 *
 * A file of up to `retainedBytes` is held, and sent at `close` as often as it takes. A larger one is
 * sent by one request while it is written: when that breaks the bytes are gone, and the file has
 * failed. Files are never appended to: the lease of a writer that was lost would stand in the way.
 */
import { dirname } from 'node:path'
import { StateError } from '../../model/errors.ts'
import type { NewFile } from '../staging-files.ts'
import type { Attempt } from './attempt.ts'
import type { HdfsCluster, Operation } from './cluster.ts'
import { hdfsPath } from './paths.ts'
import { move, statusOf } from './status.ts'
import type { Upload } from './upload.ts'

const retainedBytes = 32 * 1024 * 1024

/** What is no file yet. Hive does not read what begins with `_`. */
export const unfinished = '_writing-'

interface Sent {
  readonly upload: Upload
  readonly temporary: string
}

export class HdfsNewFile implements NewFile {
  readonly #cluster: HdfsCluster
  readonly #path: string
  readonly #operation: Operation
  readonly #newId: () => string
  /** All that was written, until it is too much. */
  #retained: Buffer[] = []
  #sizeBytes = 0
  /** Of a file that is sent while it is written. */
  #sent: Sent | null = null

  constructor(cluster: HdfsCluster, path: string, newId: () => string) {
    this.#cluster = cluster
    this.#path = path
    this.#operation = { verb: 'write', path }
    this.#newId = newId
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.#sizeBytes += bytes.length
    if (this.#sent !== null) {
      const { upload } = this.#sent
      await this.#unrepeated(() => upload.write(bytes))
      return
    }
    this.#retained.push(Buffer.from(bytes))
    if (this.#sizeBytes <= retainedBytes) return
    this.#sent = await this.#send(null)
    this.#retained = []
  }

  async close(): Promise<void> {
    if (this.#sent === null) this.#sent = await this.#send(this.#sizeBytes)
    else await this.#unrepeated(() => this.#sent!.upload.finish())
    const { temporary } = this.#sent
    await this.#cluster.repeat(this.#operation, attempt => this.#name(attempt, temporary))
  }

  async abort(): Promise<void> {
    this.#retained = []
    if (this.#sent === null) return
    const { upload, temporary } = this.#sent
    upload.destroy()
    // What stays goes with its folder.
    const remove = (attempt: Attempt): Promise<unknown> => {
      return attempt.ask('DELETE', 'DELETE', temporary)
    }
    await this.#cluster.once(remove).catch(() => undefined)
  }

  /**
   * Sends what is retained: all that there is, of that size, or a beginning. Until the connection took
   * it, another DataNode may be tried.
   */
  #send(bodyBytes: number | null): Promise<Sent> {
    return this.#cluster.repeat(this.#operation, async attempt => {
      const temporary = `${dirname(this.#path)}/${unfinished}${this.#newId()}`
      const url = await attempt.redirect('PUT', 'CREATE', temporary, {
        // A folder that somebody removed must not come back.
        createparent: 'false',
        // On the disks of its DataNodes when it is closed, not only in their memories.
        createflag: 'create,sync_block',
      })
      return { upload: await attempt.upload(url, this.#retained, bodyBytes), temporary }
    })
  }

  async #name(attempt: Attempt, temporary: string): Promise<void> {
    const found = await statusOf(attempt, temporary)
    if (found === null && attempt.isRepeated) {
      const named = await statusOf(attempt, this.#path)
      if (named?.sizeBytes === this.#sizeBytes) return
    }
    if (found?.sizeBytes !== this.#sizeBytes) {
      const what = found === null ? 'is gone' : `has ${found.sizeBytes} bytes`
      const message = `cannot write ${this.#path}: of ${this.#sizeBytes} bytes, ${temporary} ${what}`
      throw new StateError('storage-failed', message, { context: { file: this.#path } })
    }
    const destination = hdfsPath(this.#path)
    await move(attempt, temporary, { destination, renameoptions: 'OVERWRITE' })
  }

  async #unrepeated(action: () => Promise<void>): Promise<void> {
    try {
      await action()
    } catch (error) {
      throw this.#cluster.failed(this.#operation, error)
    }
  }
}
