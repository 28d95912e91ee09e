/**
 * Where the files of closed windows wait until they are applied. A folder a window and attempt:
 * `<task>/<from>-<to>-<token>-<attempt>/`. Files are durable before the record that names them, so a crash
 * leaves files that nobody names, never a name without its file.
 */
import type { NetChange } from '../model/net-change.ts'
import type { OffsetRange, StagedBatch, StagedFile } from '../model/staged-batch.ts'
import type { TableSchema } from '../model/table-schema.ts'

/** An owner of a task. A higher token is of a later one. */
export interface TaskOwner {
  readonly task: string
  readonly token: number
}

export interface StagedWindow {
  /** Net changes of one table, one a key, in key order. A table may have several files. */
  write(
    table: string,
    schema: TableSchema,
    changes: AsyncIterable<readonly NetChange[]>,
  ): Promise<StagedFile>
  /** All files are durable, under their final names, when it resolves. */
  seal(): Promise<void>
}

export interface Staging {
  openWindow(owner: TaskOwner, range: OffsetRange): Promise<StagedWindow>
  /** The net changes of a batch, in key order. Rows are under the batch's schema. */
  read(batch: StagedBatch): AsyncIterable<readonly NetChange[]>
  /** Of a batch that was applied. A folder goes with its last file. */
  remove(batch: StagedBatch): Promise<void>
  /**
   * Removes what a crash of an owner before left of a task: folders that no staged record names; `named` are
   * all that are still in the log. Folders of a higher token stay, whatever they are: who sweeps may have
   * been paused, and have lost the task since.
   */
  sweep(owner: TaskOwner, named: readonly StagedBatch[]): Promise<void>
}
