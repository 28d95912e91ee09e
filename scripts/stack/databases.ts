/**
 * Private instances of the databases that changes come from, by the programs that Debian installs: the
 * machine's own services and their data are not touched. PostgreSQL also holds Hive's metastore.
 */
import { execFile } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { chmod, chown, mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Command, Part, StackOptions } from './parts.ts'
import { partFolder, portOf } from './parts.ts'
import { succeeds } from './probes.ts'
import { postgresServer, postgresSetup } from './servers.ts'
import { writeSettings } from './settings.ts'

const run = promisify(execFile)

/**
 * Both servers refuse to run as root: as root they run as the user that Debian made for them, else as
 * whoever starts the stack. A folder of root's that others may not pass is opened to them by a capability.
 */
async function as(user: string, folder: string, given: Command): Promise<Command> {
  if (process.getuid?.() !== 0) return given
  const identity = [`--reuid=${user}`, `--regid=${user}`, '--init-groups']
  const passing = ['--inh-caps=+dac_read_search', '--ambient-caps=+dac_read_search']
  for (const args of [identity, [...identity, ...passing]]) {
    // Not `test -x`, which asks the system in a way that leaves capabilities aside.
    if (await succeeds('setpriv', [...args, 'stat', join(folder, '.')])) {
      return { command: 'setpriv', args: [...args, given.command, ...given.args] }
    }
  }
  throw new Error(
    `the user ${user} may not enter ${folder}: install the Debian package of the database, or put the stack elsewhere by --home`,
  )
}

/** Beside its place first: a first start that was interrupted leaves nothing. */
async function initialise(
  user: string,
  data: string,
  commandsFor: (fresh: string) => readonly Command[],
): Promise<void> {
  const fresh = `${data}.new`
  await rm(fresh, { recursive: true, force: true })
  await mkdir(fresh, { recursive: true })
  await chmod(fresh, 0o700)
  if (process.getuid?.() === 0) {
    const [uid, gid] = await Promise.all(['-u', '-g'].map(which => idOf(which, user)))
    await chown(fresh, uid!, gid!)
  }
  for (const given of commandsFor(fresh)) {
    const { command, args } = await as(user, fresh, given)
    await run(command, args, { cwd: fresh })
  }
  await rename(fresh, data)
}

async function idOf(which: string, user: string): Promise<number> {
  return Number((await run('id', [which, user])).stdout)
}

// ---- PostgreSQL

/** Debian keeps the programs of each version apart, and off the PATH. */
function postgresProgram(name: string): string {
  const root = '/usr/lib/postgresql'
  const versions = existsSync(root) ? readdirSync(root).map(Number) : []
  const folders = versions
    .sort((a, b) => b - a)
    .map(version => join(root, String(version), 'bin', name))
  return folders.find(path => existsSync(path)) ?? name
}

export interface Credentials {
  readonly user: string
  readonly password: string
}

/** May do everything in PostgreSQL. */
export const postgresAdmin: Credentials = { user: 'postgres', password: 'postgres' }

export function psql(
  options: StackOptions,
  database: string,
  { user, password }: Credentials = postgresAdmin,
): Command & { readonly env: Readonly<Record<string, string>> } {
  const port = String(portOf('postgres', options))
  return {
    command: postgresProgram('psql'),
    args: ['-X', '-h', '127.0.0.1', '-p', port, '-U', user, '-d', database],
    env: { PGPASSWORD: password, PGCONNECT_TIMEOUT: '2' },
  }
}

async function initialisePostgres(folder: string, data: string): Promise<void> {
  const password = join(folder, 'password')
  const setup = join(folder, 'setup.sql')
  await writeFile(password, postgresAdmin.password)
  // A line each: the server without clients takes no more.
  await writeFile(setup, `${postgresSetup.join('\n')}\n`)
  await initialise('postgres', data, fresh => {
    const locale = ['--encoding=UTF8', '--locale=C.UTF-8']
    const access = ['--username=postgres', '--auth=scram-sha-256', `--pwfile=${password}`]
    const single = [postgresProgram('postgres'), '--single', '-D', fresh, 'postgres']
    return [
      {
        command: postgresProgram('initdb'),
        args: ['--no-sync', '-D', fresh, ...locale, ...access],
      },
      { command: 'sh', args: ['-c', '"$@" < "$0"', setup, ...single] },
    ]
  })
}

export const postgres: Part = {
  name: 'postgres',
  isExtra: false,
  needs: [],
  downloads: [],
  readyWithinMs: 60_000,
  // The fast shutdown: by SIGTERM it would wait until every client has left.
  stopSignal: 'SIGINT',
  address: options =>
    `127.0.0.1:${portOf('postgres', options)} (postgres/postgres, dbz/dbz, database demo)`,
  async prepare(options) {
    const folder = partFolder('postgres', options)
    const data = join(folder, 'data')
    if (!existsSync(data)) await initialisePostgres(folder, data)
    const settings = {
      listen_addresses: '127.0.0.1',
      port: portOf('postgres', options),
      unix_socket_directories: '',
      ...postgresServer,
      // Its data need not outlive a crash of the machine.
      fsync: 'off',
    }
    const args = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
    return await as('postgres', data, {
      command: postgresProgram('postgres'),
      args: ['-D', data, ...args],
    })
  },
  answers(options) {
    const { command, args, env } = psql(options, 'demo')
    return succeeds(command, [...args, '-Atc', 'SELECT 1'], env)
  },
}

// ---- MariaDB

/** May do everything in MariaDB. */
export const mariadbAdmin: Credentials = { user: 'root', password: 'root' }

export function mariadbClient(
  options: StackOptions,
  database: string,
  { user, password }: Credentials = mariadbAdmin,
): Command {
  const address = ['--protocol=tcp', '--host=127.0.0.1', `--port=${portOf('mariadb', options)}`]
  return {
    command: 'mariadb',
    args: ['--no-defaults', ...address, `--user=${user}`, `--password=${password}`, database],
  }
}

export const mariadb: Part = {
  name: 'mariadb',
  isExtra: false,
  needs: [],
  downloads: [],
  readyWithinMs: 60_000,
  address: options => `127.0.0.1:${portOf('mariadb', options)} (root/root, dbz/dbz, database demo)`,
  async prepare(options) {
    const folder = partFolder('mariadb', options)
    const data = join(folder, 'data')
    const settings = join(folder, 'my.cnf')
    const setup = join(folder, 'setup.sql')
    await writeSettings('mariadb/setup.sql', setup, {})
    await writeSettings('mariadb/my.cnf', settings, {
      DATA: data,
      PORT: portOf('mariadb', options),
      SETUP: setup,
    })
    if (!existsSync(data)) {
      await initialise('mysql', data, fresh => {
        const own = [`--datadir=${fresh}`, `--tmpdir=${fresh}`]
        const args = ['--no-defaults', ...own, '--skip-test-db', '--skip-log-bin']
        const access = '--auth-root-authentication-method=normal'
        return [{ command: 'mariadb-install-db', args: [...args, access] }]
      })
    }
    const server = '/usr/sbin/mariadbd'
    const command = existsSync(server) ? server : 'mariadbd'
    return await as('mysql', data, { command, args: [`--defaults-file=${settings}`] })
  },
  answers(options) {
    const { command, args } = mariadbClient(options, 'demo')
    return succeeds(command, [...args, '--execute=SELECT 1'])
  },
}

/** Runs statements as root, one after the other; resolves to what they print. */
export async function runMariadb(
  options: StackOptions,
  statements: readonly string[],
): Promise<string> {
  const { command, args } = mariadbClient(options, 'demo')
  const charset = '--default-character-set=utf8mb4'
  const more = [charset, '--batch', '--raw', '--skip-column-names']
  const { stdout } = await run(command, [...args, ...more, `--execute=${statements.join(';')}`])
  return stdout
}
