/**
 * Staging in HDFS over WebHDFS, which every NameNode and DataNode speaks (`dfs.webhdfs.enabled`). Names
 * are durable at once: the NameNode writes its journal before it answers. Bytes are on the disks of
 * their DataNodes when a file is closed.
 *
 * Operations are sent again when their answer is lost, and what is sent twice does no more than once:
 * a rename is decided by looking at both names, a removal finds nothing the second time.
 */
import { StateError } from '../../model/errors.ts'
import type { NewFile, ReadableFile, StagingFileStat, StagingFiles } from '../staging-files.ts'
import type { Attempt } from './attempt.ts'
import type { ClusterOptions } from './cluster.ts'
import { HdfsCluster } from './cluster.ts'
import { HdfsNewFile, unfinished } from './new-file.ts'
import { hdfsPath, nameOfHdfs } from './paths.ts'
import { HdfsReadableFile } from './readable-file.ts'
import { move, namesIn, statusOf } from './status.ts'

export interface WebHdfsOptions extends ClusterOptions {
  /** The cluster for who speaks HDFS's own protocol: `hdfs://nameservice`, `hdfs://host:8020`. */
  readonly location: string
}

export class WebHdfsStagingFiles implements StagingFiles {
  readonly #cluster: HdfsCluster
  readonly #location: string
  readonly #newId: () => string

  constructor(options: WebHdfsOptions) {
    this.#cluster = new HdfsCluster(options)
    this.#location = options.location.replace(/\/+$/, '')
    this.#newId = () => options.random.id()
  }

  locationOf(path: string): string {
    return this.#location + hdfsPath(path)
  }

  async makeDirectory(path: string): Promise<void> {
    await this.#cluster.repeat({ verb: 'create', path }, attempt => {
      return attempt.ask('PUT', 'MKDIRS', path)
    })
  }

  create(path: string): Promise<NewFile> {
    return Promise.resolve(new HdfsNewFile(this.#cluster, path, this.#newId))
  }

  async open(path: string): Promise<ReadableFile> {
    const found = await this.#cluster.repeat({ verb: 'open', path }, attempt => {
      return statusOf(attempt, path)
    })
    if (found === null || found.isDirectory) {
      throw failed(path, 'open', found === null ? 'no such file' : 'that is a folder')
    }
    return new HdfsReadableFile(this.#cluster, path, found.sizeBytes)
  }

  async list(path: string): Promise<string[]> {
    const names = await this.#cluster.repeat({ verb: 'list', path }, attempt => {
      return namesIn(attempt, path)
    })
    return names
      .filter(name => !name.startsWith(unfinished))
      .map(nameOfHdfs)
      .sort()
  }

  stat(path: string): Promise<StagingFileStat | null> {
    return this.#cluster.repeat({ verb: 'look at', path }, attempt => statusOf(attempt, path))
  }

  async rename(from: string, to: string): Promise<void> {
    await this.#cluster.repeat({ verb: 'rename to', path: to }, attempt => {
      return rename(attempt, from, to)
    })
  }

  async remove(path: string): Promise<void> {
    await this.#cluster.repeat({ verb: 'remove', path }, attempt => {
      return attempt.ask('DELETE', 'DELETE', path, { recursive: 'true' })
    })
  }

  syncDirectory(): Promise<void> {
    return Promise.resolve()
  }
}

/**
 * HDFS's own rename moves what it renames *into* a folder that is there, and calls that a success.
 * `renameoptions` forbids it. Servers that do not know them (HttpFS) are asked for nothing that would go
 * wrong, because the target is looked at first.
 */
async function rename(attempt: Attempt, from: string, to: string): Promise<void> {
  const target = await statusOf(attempt, to)
  const isGone = attempt.isRepeated && (await statusOf(attempt, from)) === null
  // An earlier try was carried out.
  if (target !== null && isGone) return
  if (target !== null) throw failed(to, `rename ${from} to`, 'that is there already')
  if (isGone) throw failed(from, 'rename', 'no such file or folder')
  const destination = hdfsPath(to)
  const answer = await move(attempt, from, { destination, renameoptions: 'NONE' })
  const { boolean: isRenamed = true } = (answer ?? {}) as { boolean?: boolean }
  if (!isRenamed) throw failed(to, `rename ${from} to`, 'the NameNode refused, without a reason')
}

function failed(path: string, verb: string, reason: string): StateError {
  return new StateError('storage-failed', `cannot ${verb} ${path}: ${reason}`, {
    context: { file: path },
  })
}
