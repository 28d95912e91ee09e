/**
 * Files as staging and the folders of applies need them: written once from their beginning to their
 * end, read in ranges, named by their folder. Local folders and HDFS are behind it, and what comes
 * later; `testkit/staging-files-conformance.ts` holds each against it. What a crash may undo:
 *
 * - `makeDirectory` is durable when it resolves.
 * - The bytes of a new file are durable when its `close` resolves. Before, nothing, the file or a
 *   part of it may be seen under its name, and be left there: a file counts when whoever wrote it
 *   says so elsewhere, after `close`.
 * - A new, renamed or removed name is durable after `syncDirectory` of its folder.
 *
 * Names of files and folders may hold any characters but `/`; those that begin with `_writing-` belong to
 * who implements this.
 *
 * An operation whose answer is lost may be sent again, and its first try may reach the server late.
 * So a path that was removed or renamed away must not be used again: names of attempts are random.
 *
 * Every failure is a StateError that names the path: `storage-failed` when the file system refuses,
 * `storage-unreachable` when it did not answer for as long as the operation is repeated.
 */
export interface StagingFiles {
  /** The path as a URI, which Hive's `LOCATION` takes. */
  locationOf(path: string): string
  /** With its missing parents. */
  makeDirectory(path: string): Promise<void>
  /** Its folder must be there. A file of that name is replaced, at the latest by `close`. */
  create(path: string): Promise<NewFile>
  open(path: string): Promise<ReadableFile>
  /** Names in a folder, sorted; empty when there is no such folder. */
  list(path: string): Promise<string[]>
  /** Null when there is nothing. */
  stat(path: string): Promise<StagingFileStat | null>
  /** Of a file or folder within its folder, in one step. Fails when `to` is there, and both stay. */
  rename(from: string, to: string): Promise<void>
  /** Files and folders with all that is in them; nothing happens when there is nothing. */
  remove(path: string): Promise<void>
  syncDirectory(path: string): Promise<void>
}

export interface StagingFileStat {
  readonly sizeBytes: number
  readonly isDirectory: boolean
}

/** A file that is being written. One call at a time; it ends with `close` or `abort`. */
export interface NewFile {
  /** Appends. The bytes are the caller's again when it resolves. */
  write(bytes: Uint8Array): Promise<void>
  /** The file is whole, and durable. */
  close(): Promise<void>
  /** Gives up: what was written does not count. Never rejects. */
  abort(): Promise<void>
}

export interface ReadableFile {
  readonly sizeBytes: number
  /** Fewer bytes than asked for only at the end of the file. */
  read(offset: number, length: number): Promise<Uint8Array>
  close(): Promise<void>
}
