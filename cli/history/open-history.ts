/** From the configuration to where the record is kept. The client of a server is loaded only where it is used. */
import { dirname, resolve } from 'node:path'
import { StateError } from '../../model/errors.ts'
import type { History } from '../../observe/history/history.ts'
import { sqliteHistory } from '../../observe/history/sqlite-history.ts'
import { nodeFileSystem } from '../../runtime/file-system.ts'
import type { LoadedConfig } from '../config.ts'
import { UsageError } from '../usage-error.ts'
import { withoutUndefined } from '../without-undefined.ts'

/** Beside the state of the application, so that `forager reset` leaves it. */
export function historyPath({ config, folder }: LoadedConfig): string {
  const { history, state, applicationId } = config
  const given = history.type === 'sqlite' ? history.path : undefined
  return given === undefined
    ? resolve(folder, state.path, `${applicationId}-history.sqlite`)
    : resolve(folder, given)
}

/** Not opened yet. Null when nothing is recorded. */
export async function historyOf(loaded: LoadedConfig, isWriter: boolean): Promise<History | null> {
  const { history } = loaded.config
  if (history.type === 'none') return null
  if (history.type === 'sqlite') {
    const path = historyPath(loaded)
    const prepare = (): Promise<void> => nodeFileSystem.makeDirectory(dirname(path))
    return sqliteHistory({ path, isWriter }, isWriter ? prepare : () => Promise.resolve())
  }
  const { type, timeout: timeoutMs, tls, ...rest } = history
  const { host, port, user, password, database } = rest
  const given = withoutUndefined({
    host,
    port,
    user,
    password,
    database,
    tls: tls && withoutUndefined(tls),
  })
  const server = { ...given, timeoutMs, isWriter } as never
  if (type === 'postgres') {
    const { postgresHistory } = await import('../../observe/history/postgres-history.ts')
    return postgresHistory(server)
  }
  const { mysqlHistory } = await import('../../observe/history/mysql-history.ts')
  return mysqlHistory(server, type)
}

/** Opens it to read, and closes it after the action. StateError `history-unavailable`. */
export async function withHistory<T>(
  loaded: LoadedConfig,
  action: (history: History) => Promise<T>,
): Promise<T> {
  const history = await historyOf(loaded, false)
  if (history === null) {
    throw new UsageError(`${loaded.path} records no history: history.type is none`)
  }
  if (loaded.config.history.type === 'sqlite') {
    const path = historyPath(loaded)
    if ((await nodeFileSystem.stat(path)) === null) {
      throw new StateError('history-unavailable', `there is no ${path} yet: a run writes it`)
    }
  }
  try {
    await history.open()
    return await action(history)
  } finally {
    await history.close()
  }
}
