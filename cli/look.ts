/** The log of an application and who is in its group, for commands that look from outside. */
import type { Log } from '../log/log.ts'
import { systemClock } from '../runtime/clock.ts'
import type { ApplicationStatus, StatusMember } from '../runtime/status.ts'
import { statusOf } from '../runtime/status.ts'
import { buildTopology, kafkaLogOptions, openLog } from './application.ts'
import type { LoadedConfig } from './config.ts'

/** Opens the log, and closes it after the action. */
export async function withLog<T>(
  loaded: LoadedConfig,
  action: (log: Log) => Promise<T>,
): Promise<T> {
  const log = await openLog(loaded)
  try {
    return await action(log)
  } finally {
    await log.close()
  }
}

export async function applicationStatus(
  loaded: LoadedConfig,
  log: Log,
): Promise<ApplicationStatus> {
  return await statusOf({
    log,
    applicationId: loaded.config.applicationId,
    topology: buildTopology(loaded),
    clock: systemClock,
    members: await membersOf(loaded),
  })
}

/** A local log has no member but in the process that runs it, and that one has it locked. */
async function membersOf({ config }: LoadedConfig): Promise<readonly StatusMember[]> {
  const { source, applicationId } = config
  if (source.type === 'file') return []
  const { KafkaAdmin } = await import('../log/kafka/admin.ts')
  const admin = new KafkaAdmin(kafkaLogOptions(config, source))
  try {
    return await admin.members(applicationId)
  } finally {
    await admin.close()
  }
}
