/** A file of HDFS that is read in ranges. A small one is read whole, at its first range. */
import type { ReadableFile } from '../staging-files.ts'
import type { HdfsCluster } from './cluster.ts'
import { WebHdfsFailure } from './failures.ts'

/** A range takes two requests, whatever its size. */
const wholeBytes = 1024 * 1024

export class HdfsReadableFile implements ReadableFile {
  readonly sizeBytes: number
  readonly #cluster: HdfsCluster
  readonly #path: string
  #whole: Promise<Buffer> | null = null

  constructor(cluster: HdfsCluster, path: string, sizeBytes: number) {
    this.#cluster = cluster
    this.#path = path
    this.sizeBytes = sizeBytes
  }

  async read(offset: number, length: number): Promise<Uint8Array> {
    const end = Math.min(this.sizeBytes, offset + length)
    if (end <= offset) return Buffer.alloc(0)
    if (this.sizeBytes > wholeBytes) return await this.#readRange(offset, end - offset)
    this.#whole ??= this.#readRange(0, this.sizeBytes)
    return (await this.#whole).subarray(offset, end)
  }

  close(): Promise<void> {
    this.#whole = null
    return Promise.resolve()
  }

  #readRange(offset: number, length: number): Promise<Buffer> {
    return this.#cluster.repeat({ verb: 'read', path: this.#path }, async attempt => {
      const url = await attempt.redirect('GET', 'OPEN', this.#path, {
        offset: String(offset),
        length: String(length),
      })
      const bytes = await attempt.download(url, length)
      if (bytes.length === length) return bytes
      throw new WebHdfsFailure({
        kind: 'passing',
        message: `gave ${bytes.length} of ${length} bytes`,
        url,
        isOfNameNode: false,
      })
    })
  }
}
