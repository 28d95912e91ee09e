/** An application of some instances in a folder of its own: begun, watched, stopped, cleaned up. */
import type { KafkaLog } from '../../log/kafka/kafka-log.ts'
import type { Log, ProducerRecord, TopicPartition } from '../../log/log.ts'
import { noMembership } from '../../log/log.ts'
import { Instance, keepLogs, newFolder, newName, untilApplied, writeConfig } from './instances.ts'
import { warehouseIn } from './shop.ts'

export interface RunningOptions {
  readonly name: string
  readonly log: Log
  /** Its `applicationId` is replaced by a new one. */
  readonly config: object
  readonly env?: NodeJS.ProcessEnv
}

export class Running {
  readonly applicationId: string
  readonly folder: string
  readonly instances: Instance[] = []
  /** The file that instances are started with. */
  readonly configPath: string
  readonly #options: RunningOptions
  readonly #remove: () => void

  private constructor(options: RunningOptions) {
    const folder = newFolder()
    this.#options = options
    this.applicationId = newName(options.name)
    this.folder = folder.path
    this.#remove = () => folder.remove()
    this.configPath = this.configure(options.config)
  }

  /** Writes the file anew, for instances that are started from now on. */
  configure(config: object): string {
    return writeConfig(this.folder, { ...config, applicationId: this.applicationId })
  }

  /** Whatever becomes of the action, no process and no folder is left; logs stay when it failed. */
  static async use(
    options: RunningOptions,
    action: (running: Running) => Promise<void>,
  ): Promise<void> {
    const running = new Running(options)
    try {
      await action(running)
    } catch (error) {
      const kept = keepLogs(options.name, running.instances)
      throw new Error(`${(error as Error).message} (the logs are in ${kept})`, { cause: error })
    } finally {
      await Promise.all(running.instances.map(instance => instance.kill()))
      running.#remove()
    }
  }

  get warehouse(): string {
    return warehouseIn(this.folder)
  }

  start(env = this.#options.env): Instance {
    const instance = new Instance(this.configPath, env)
    this.instances.push(instance)
    return instance
  }

  /** Until all of the sources is read, staged and applied; no instance may have a complaint. */
  async untilApplied(
    sources: readonly TopicPartition[],
    { deadlineMs = 240_000, whileWaiting = (): void => undefined } = {},
  ): Promise<void> {
    await untilApplied(this.#options.log, this.applicationId, sources, {
      deadlineMs,
      whileWaiting: () => {
        this.expectAllWell()
        whileWaiting()
      },
    })
  }

  /** Of those that ended, who ended them judges how. */
  expectAllWell(): void {
    const complaint = this.instances.find(({ isRunning, stderr }) => isRunning && stderr !== '')
    if (complaint !== undefined) throw new Error(complaint.stderr)
  }

  /** Those that run end by themselves, and well. */
  async stop(): Promise<void> {
    this.expectAllWell()
    const running = this.instances.filter(one => one.isRunning)
    const ends = await Promise.all(running.map(instance => instance.stop()))
    const bad = ends.find(({ code }) => code !== 0)
    if (bad !== undefined) throw new Error(`an instance ended with ${JSON.stringify(bad)}`)
  }
}

/** Records that are made as they are written. */
export async function writeInParts(
  log: KafkaLog,
  records: Iterable<ProducerRecord>,
  atOnce = 20_000,
): Promise<void> {
  const producer = await log.openProducer(newName('writer'))
  let part: ProducerRecord[] = []
  const write = async (): Promise<void> => {
    await producer.commit({ records: part, offsets: [], group: noMembership })
    part = []
  }
  for (const record of records) {
    part.push(record)
    if (part.length === atOnce) await write()
  }
  if (part.length > 0) await write()
  await producer.close()
}

/** Records of a test of its own, written in one transaction. */
export async function writeAll(log: KafkaLog, records: readonly ProducerRecord[]): Promise<void> {
  const producer = await log.openProducer(newName('writer'))
  await producer.commit({ records, offsets: [], group: noMembership })
  await producer.close()
}
