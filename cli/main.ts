/**
 * The program: commands and exit codes. 0 done, 1 failed, 2 the configuration is wrong, 3 `plan` shows a change
 * that would be refused, 130 and 143 stopped by a signal before the end of a source that has one. An error is
 * one line that says what happened, where, and what to do.
 */
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import { errorCodes, ForagerError } from '../model/errors.ts'
import { nodeFileSystem } from '../runtime/file-system.ts'
import type { StartPosition } from '../topology/nodes.ts'
import type { CheckOptions } from './commands/check.ts'
import { checkCommand, describeCommand } from './commands/check.ts'
import type { ApplyConnectorsOptions } from './commands/connectors.ts'
import { applyConnectorsCommand } from './commands/connectors.ts'
import type { ListOptions } from './commands/dead-letters.ts'
import { listDeadLettersCommand } from './commands/dead-letters.ts'
import { demoCommand } from './commands/demo.ts'
import type { HistoryOptions } from './commands/history.ts'
import { historyCommand } from './commands/history.ts'
import { orcMetaCommand, orcRowsCommand } from './commands/orc.ts'
import type { PlanCommandOptions } from './commands/plan.ts'
import { planCommand } from './commands/plan.ts'
import type { ReplayOptions } from './commands/replay-dead-letters.ts'
import { replayDeadLettersCommand } from './commands/replay-dead-letters.ts'
import type { ResetOptions } from './commands/reset.ts'
import { resetCommand } from './commands/reset.ts'
import type { ResumeOptions } from './commands/resume.ts'
import { resumeCommand } from './commands/resume.ts'
import type { RunOptions } from './commands/run.ts'
import { runCommand } from './commands/run.ts'
import type { StatusOptions } from './commands/status.ts'
import { statusCommand } from './commands/status.ts'
import { rowsCommand, tablesCommand } from './commands/tables.ts'
import type { VerifyCommandOptions } from './commands/verify.ts'
import { verifyCommand } from './commands/verify.ts'
import { ConfigProblems, loadConfig } from './config.ts'
import { parseStart } from './config-schema.ts'
import { endWithOutput, writeError } from './output.ts'
import { UsageError } from './usage-error.ts'
import { version } from './version.ts'

export const exitCodes = { done: 0, failed: 1, configWrong: 2 } as const

export async function main(args: readonly string[]): Promise<number> {
  endWithOutput()
  let code: number = exitCodes.done
  try {
    const program = commandTree(await version(), result => {
      code = result
    })
    await program.parseAsync([...args], { from: 'user' })
    return code
  } catch (error) {
    return report(error)
  }
}

function commandTree(currentVersion: string, done: (code: number) => void): Command {
  const program = new Command('forager')
    .description('Keeps Hive tables in step with the databases they come from.')
    .version(currentVersion)
    .exitOverride()
    .showHelpAfterError('(forager --help lists the commands)')
    .showSuggestionAfterError()
  // Who only looks at tables needs no password.
  const load = (path: string) => loadConfig(nodeFileSystem, path)
  const { env } = process
  program
    .command('run <config>')
    .description('read change events and keep the tables in step, until the source ends')
    .addOption(
      new Option('--log <kind>', 'log lines: text from "info" on, "json", or only what goes wrong')
        .choices(['json', 'info', 'warn'])
        .default('warn'),
    )
    .option('--quiet', 'no progress, no summary', false)
    .action(async (path: string, options: RunOptions) => {
      done(await runCommand(await loadConfig(nodeFileSystem, path, env), options))
    })
  program
    .command('tables <config>')
    .description('list the tables of the warehouse')
    .option('--wide', 'all columns of each table, however many', false)
    .action(async (path: string, options: { wide: boolean }) => {
      done(await tablesCommand(await load(path), options))
    })
  program
    .command('rows <config> <table>')
    .description('print the rows of a table as JSON lines, in key order')
    .option('--with-meta', 'with Forager’s own columns: where each row was changed last', false)
    .action(async (path: string, table: string, options: { withMeta: boolean }) => {
      done(await rowsCommand(await load(path), table, options))
    })
  program
    .command('describe <config>')
    .description('print the topology in the text form of Kafka Streams')
    .option('--mermaid', 'as a Mermaid diagram', false)
    .action(async (path: string, options: { mermaid: boolean }) => {
      done(describeCommand(await load(path), options))
    })
  addCheck(program, done)
  addConnectors(program, done)
  addDeadLetters(program, done)
  const orc = program.command('orc').description('look at an ORC file')
  orc
    .command('meta <file>')
    .description('schema, stripes, encodings and statistics, as JSON')
    .action(async (path: string) => done(await orcMetaCommand(path)))
  orc
    .command('rows <file>')
    .description('the rows, as JSON lines')
    .action(async (path: string) => done(await orcRowsCommand(path)))
  program
    .command('demo [folder]')
    .description('run the example shop in a folder: a new one, or that of the last time')
    .action(async (folder: string | undefined) => done(await demoCommand(folder ?? 'demo-output')))
  addOperations(program, done)
  addPlan(program, done)
  return program
}

function addCheck(program: Command, done: (code: number) => void): void {
  program
    .command('check <config>')
    .description('say every problem of a configuration, with its line')
    .option('--connect', 'also whether what a run needs answers, and whether the tables fit', false)
    .addOption(
      new Option(
        '--kafka-connect <url>',
        'also whether Debezium’s connectors there lose data: http://host:8083',
      ).argParser(httpAddress),
    )
    .action(async (path: string, options: CheckOptions) => {
      done(await checkCommand(path, process.env, options))
    })
}

function addConnectors(program: Command, done: (code: number) => void): void {
  program
    .command('connectors')
    .description('Debezium’s connectors of the configuration (`connectors`)')
    .command('apply <config>')
    .description('have Kafka Connect run them as they are configured, once they are looked at')
    .addOption(
      new Option('--connect-url <url>', 'instead of `connectors.url`: http://host:8083').argParser(
        httpAddress,
      ),
    )
    .option('--dry-run', 'only say what would be done', false)
    .option('--force', 'also settings by which changes are lost', false)
    .option('--restart-failed', 'also start again what has failed', false)
    .option('--wait <seconds>', 'how long a connector may take until it runs', wholeNumber, 60)
    .action(async (path: string, options: ApplyConnectorsOptions) => {
      done(await applyConnectorsCommand(path, process.env, options))
    })
}

function addDeadLetters(program: Command, done: (code: number) => void): void {
  const letters = program
    .command('dead-letters')
    .description('bad messages that were kept (onError: dead-letter)')
  letters
    .command('list <config>')
    .description('where each was, why it was bad and when, its key and value; the newest last')
    .option('--json', 'a line of JSON each, with the whole message', false)
    .option('--table <name>', 'only those of one table, by its name in the source')
    .option(
      '--limit <n>',
      'so many of the newest ones (default: 100, with --json all)',
      wholeNumber,
    )
    .action(async (path: string, options: ListOptions) => {
      const loaded = await loadConfig(nodeFileSystem, path, process.env)
      done(await listDeadLettersCommand(loaded, options))
    })
  letters
    .command('replay <config>')
    .description('bring letters back into the application; needs source.ordering: position')
    .option('--offset <n...>', 'letters by their number in the list', offsetList)
    .option('--all', 'all that can be replayed', false)
    .option('--dry-run', 'only say which', false)
    .action(async (path: string, options: ReplayOptions) => {
      const loaded = await loadConfig(nodeFileSystem, path, process.env)
      done(await replayDeadLettersCommand(loaded, options))
    })
}

function offsetList(text: string, before: readonly number[] = []): readonly number[] {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('must be a whole number.')
  return [...before, Number(text)]
}

function wholeNumber(text: string): number {
  if (!/^[1-9]\d*$/.test(text)) throw new InvalidArgumentError('must be a whole number from 1.')
  return Number(text)
}

function httpAddress(text: string): string {
  if (URL.canParse(text) && /^https?:/.test(text)) return text
  throw new InvalidArgumentError('must be an address like http://host:8083.')
}

/** What is for an application as a whole, whether or not it runs. */
function addOperations(program: Command, done: (code: number) => void): void {
  const load = (path: string) => loadConfig(nodeFileSystem, path, process.env)
  program
    .command('status <config>')
    .description('where all instances together stand, from the log: it needs none to run')
    .option('--json', 'for programs', false)
    .option('--url <url>', 'instead, what one instance says of itself: http://host:port')
    .action(async (path: string, options: StatusOptions) => {
      done(await statusCommand(await load(path), options))
    })
  program
    .command('history <config> [table]')
    .description('what ran: runs, windows, batches and statements, the newest first')
    .option(
      '--gaps',
      'prove that ranges tile from the source to the tables, or show each gap',
      false,
    )
    .option('--limit <n>', 'so many of each kind', wholeNumber, 20)
    .option('--since <time>', 'only from then on, like 2026-05-31T08:00:00Z', timeOption)
    .option('--json', 'for programs', false)
    .action(async (path: string, table: string | undefined, options: HistoryOptions) => {
      done(await historyCommand(await load(path), table, options))
    })
  program
    .command('verify <config>')
    .description(
      'compare the tables with the database they come from, row by row; needs source.database',
    )
    .option('--table <name...>', 'only these, by their name in the source or in the warehouse')
    .option('--json', 'a line of JSON for each table, and one for all', false)
    .option('--max-differences <n>', 'differences of a table that are shown', wholeNumber, 10)
    .option(
      '--range-rows <n>',
      'rows that are read at once where the key begins with a number',
      wholeNumber,
      1_000_000,
    )
    .option(
      '--look-again <seconds>',
      'while tables are written to: compare what differs once more after so long',
      wholeNumber,
    )
    .action(async (path: string, options: VerifyCommandOptions) => {
      done(await verifyCommand(await load(path), options))
    })
  program
    .command('resume <config> [table...]')
    .description('let tables go on that were held back; without a table, list them with the reason')
    .option('--all', 'all that are held back', false)
    .action(async (path: string, tables: string[], options: ResumeOptions) => {
      done(await resumeCommand(await load(path), tables, options))
    })
  program
    .command('reset <config>')
    .description('say what it takes to begin anew, and with --execute do it; tables stay')
    .option('--execute', 'delete what is listed', false)
    .addOption(
      new Option(
        '--to <start>',
        'where the source is read from: earliest, latest, or a time',
      ).argParser(startOption),
    )
    .action(async (path: string, options: ResetOptions) => {
      done(await resetCommand(await load(path), options))
    })
}

function timeOption(text: string): number {
  const start = /^\d/.test(text) ? startOption(text) : null
  if (start !== null && typeof start === 'object') return start.timeMs
  throw new InvalidArgumentError('must be a time with its zone, like 2026-05-31T08:00:00Z.')
}

function addPlan(program: Command, done: (code: number) => void): void {
  program
    .command('plan <config>')
    .description(
      'what would become of the tables’ columns with what waits, and what would be refused; does nothing',
    )
    .option('--json', 'for programs', false)
    .option(
      '--max-messages <n>',
      'of the source, and of those between its tasks and the windows, so many are read',
      wholeNumber,
      100_000,
    )
    .action(async (path: string, options: PlanCommandOptions) => {
      done(await planCommand(await loadConfig(nodeFileSystem, path, process.env), options))
    })
}

function startOption(text: string): StartPosition['at'] {
  try {
    return parseStart(text)
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message)
  }
}

function report(error: unknown): number {
  if (error instanceof CommanderError)
    return error.exitCode === 0 ? exitCodes.done : exitCodes.failed
  if (error instanceof ConfigProblems) {
    writeError(`error: ${error.message}\n`)
    return exitCodes.configWrong
  }
  if (error instanceof UsageError) {
    writeError(`error: ${error.message}\n`)
    return exitCodes.failed
  }
  if (error instanceof ForagerError) {
    writeError(`error: ${error.describe()}\n`)
    if (process.env.FORAGER_DEBUG === '1') writeError(`${error.stack}\n`)
    // What it was about to do would hold the process.
    if (error.code === 'stop-timed-out') process.exit(exitCodes.failed)
    const isConfigWrong = errorCodes[error.code].acts === 'configuration'
    return isConfigWrong ? exitCodes.configWrong : exitCodes.failed
  }
  const stack = error instanceof Error ? error.stack : String(error)
  writeError(`error: Forager itself failed. Please report it with what follows.\n${stack}\n`)
  return exitCodes.failed
}
