/**
 * What is looked at when a transaction is decided, before anybody can read it: windows of a task follow
 * each other without a gap, no offset passes what is not handed on or not staged, whole and durable, and a
 * batch has one net change a key.
 */
import type { CommittedOffset, TopicPartition } from '../../log/log.ts'
import { partitionName } from '../../log/log.ts'
import type { LogRecord } from '../../model/change-event.ts'
import type { StagedBatch } from '../../model/staged-batch.ts'
import { batchName, decodeStagedBatch } from '../../model/staged-batch.ts'
import { localStagingFiles } from '../../sinks/local-staging-files.ts'
import { readOrcRows } from '../../sinks/orc-files.ts'
import type { SimulatedFileSystem } from '../simulated-file-system.ts'
import { Violation } from './judge.ts'
import { unstagedChanges } from './passed-changes.ts'
import type { SourceJudge } from './source-judge.ts'

export class CommitJudge {
  readonly #files: SimulatedFileSystem
  readonly #stagingPath: string
  readonly #committed = new Map<string, number>()
  /** Of the hop what no window has passed, by partition. */
  readonly #hop = new Map<string, LogRecord[]>()
  readonly #source: SourceJudge | null

  /** `source` is null where a topology may leave changes out. */
  constructor(files: SimulatedFileSystem, stagingPath: string, source: SourceJudge | null) {
    this.#files = files
    this.#stagingPath = stagingPath
    this.#source = source
  }

  /** Offsets that are found committed: the answer of their commit never came. */
  found(offsets: readonly (TopicPartition & CommittedOffset)[]): void {
    for (const at of offsets) {
      const name = partitionName(at)
      this.#source?.pass(at, this.#committed.get(name) ?? 0)
      this.#committed.set(name, at.offset)
      this.#pass(name, at.offset)
    }
  }

  /** Rejects with Violation. */
  async decided(
    records: readonly LogRecord[],
    offsets: readonly (TopicPartition & CommittedOffset)[],
  ): Promise<void> {
    const batches = records
      .filter(({ topic }) => topic.endsWith('-staged'))
      .map(({ value }) => decodeStagedBatch(value!))
    if (batches.length > 0 && offsets.length === 0) {
      throw new Violation(
        'files-before-offsets',
        `batch ${batchName(batches[0]!)} is staged without its offset`,
      )
    }
    this.#source?.handOn(records)
    for (const at of offsets) {
      const name = partitionName(at)
      const from = this.#committed.get(name) ?? 0
      const isTiled = batches.every(({ range }) => range.from === from && range.to === at.offset)
      if (!isTiled || at.offset < from) {
        throw new Violation('windows-tile', `${name}: a window does not begin at ${from}`)
      }
      this.#committed.set(name, at.offset)
      const problem =
        unstagedChanges(this.#pass(name, at.offset), batches) ??
        this.#source?.unhanded(at, from, batches) ??
        null
      if (problem !== null) throw new Violation('files-before-offsets', `${name}: ${problem}`)
    }
    for (const record of records) {
      if (!record.topic.endsWith('-repartition')) continue
      const name = partitionName(record)
      this.#hop.set(name, [...(this.#hop.get(name) ?? []), record])
    }
    for (const batch of batches) this.#checkFiles(batch)
    await this.#checkKeys(batches)
  }

  async #checkKeys(batches: readonly StagedBatch[]): Promise<void> {
    const files = localStagingFiles(this.#files)
    for (const { files: own, table } of batches) {
      for (const { path } of own) {
        let last = ''
        for await (const rows of readOrcRows(files, `${this.#stagingPath}/${path}`, ['key'])) {
          for (const [key] of rows) {
            const text = Buffer.from(key as Uint8Array).toString('latin1')
            if (text <= last) {
              const what = `${path} has two changes of a key of ${table}`
              throw new Violation('one-change-a-key', what)
            }
            last = text
          }
        }
      }
    }
  }

  /** Records of the hop below the offset. */
  #pass(name: string, offset: number): readonly LogRecord[] {
    const waiting = this.#hop.get(name) ?? []
    this.#hop.set(
      name,
      waiting.filter(record => record.offset >= offset),
    )
    return waiting.filter(record => record.offset < offset)
  }

  #checkFiles(batch: StagedBatch): void {
    for (const { path, sizeBytes } of batch.files) {
      const durable = this.#files.durableBytes(`${this.#stagingPath}/${path}`)
      if (durable === sizeBytes) continue
      throw new Violation(
        'files-before-offsets',
        `the file ${path} of batch ${batchName(batch)} is not durable`,
      )
    }
  }
}
