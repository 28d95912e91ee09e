/**
 * The real process for a long time: fed without an end, hurt by signals, and recorded.
 *
 *     npm run soak -- [--minutes 30] [--over local|kafka] [--seed 1] [--rate 200] [--ordering log|position]
 *                     [--faults signals|none] [--out FOLDER] [--env NAME=VALUE …]
 *
 * Over Kafka it needs `npm run stack -- up kafka`. It ends with 1 when a table is not what it must be, or a series
 * is not flat.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { Command, InvalidArgumentError, Option } from 'commander'
import { seededRandom } from '../runtime/random.ts'
import { planFaults } from './soak/faults.ts'
import { plot } from './soak/plot.ts'
import { reportOf } from './soak/report.ts'
import { Soak } from './soak/run.ts'
import type { Recording } from './soak/samples.ts'
import { loadRecording, saveRecording } from './soak/samples.ts'
import type { ProcessEnv } from './soak/site.ts'
import { KafkaSite, LocalSite, sessionMs, soakSettings } from './soak/site.ts'
import { kafkaPort } from './stack/parts.ts'

interface Options {
  readonly minutes: number
  readonly over: 'local' | 'kafka'
  readonly seed: number
  readonly rate: number
  readonly ordering: 'log' | 'position'
  readonly faults: 'signals' | 'none'
  readonly out?: string
  readonly sampleSeconds: number
  readonly portOffset: number
  readonly env?: ProcessEnv
}

function positive(text: string): number {
  const number = Number(text)
  if (!(number > 0)) throw new InvalidArgumentError('must be a number above 0')
  return number
}

function variable(text: string, known: ProcessEnv = {}): ProcessEnv {
  const [name, ...value] = text.split('=')
  if (value.length === 0) throw new InvalidArgumentError('must be NAME=VALUE')
  return { ...known, [name!]: value.join('=') }
}

async function soak(options: Options): Promise<Recording> {
  const {
    minutes,
    over,
    seed,
    rate,
    ordering,
    sampleSeconds,
    env: settings = soakSettings,
  } = options
  const out = outOf(options)
  const folder = join(out, 'run')
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  const home = resolve('.cache/stack')
  const broker = `127.0.0.1:${kafkaPort({ home, portOffset: options.portOffset })}`
  const site =
    over === 'local'
      ? new LocalSite({ folder, ordering, settings })
      : await KafkaSite.open({ folder, ordering, settings }, broker)
  const durationMs = minutes * 60_000
  const instances = site.instances
  const faults =
    options.faults === 'none'
      ? []
      : planFaults({ random: seededRandom(seed + 1), durationMs, instances, sessionMs })
  const date = new Date().toISOString()
  const result = await new Soak({
    site,
    folder,
    random: seededRandom(seed),
    durationMs,
    rate,
    // Rows that are not whole are refused where their order is by position.
    leavesOut: ordering === 'log',
    sampleEveryMs: sampleSeconds * 1000,
    faults,
    say: line => console.log(line),
  }).run()
  const recorded = { over, ordering, seed, rate, settings, date, seconds: durationMs / 1000 }
  const recording = { ...recorded, ...result }
  saveRecording(out, recording)
  return recording
}

function outOf({ out, over }: Options): string {
  return resolve(out ?? join('.cache/soak', over))
}

const program = new Command('soak')
  .description('Runs the program for long, hurts it, and judges whether it stays flat.')
  .option('--minutes <n>', 'how long', positive, 30)
  .addOption(
    new Option('--over <log>', 'over what; kafka needs `npm run stack -- up kafka`')
      .choices(['local', 'kafka'])
      .default('local'),
  )
  .option('--seed <n>', 'of workload and faults', positive, 1)
  .option('--rate <n>', 'statements in a second', positive, 200)
  .addOption(
    new Option('--ordering <kind>', 'of the source').choices(['log', 'position']).default('log'),
  )
  .addOption(
    new Option('--faults <kind>', 'what is done').choices(['signals', 'none']).default('signals'),
  )
  .option('--out <folder>', 'for samples and plot; .cache/soak/local unless it is given')
  .option('--sample-seconds <n>', 'between samples', positive, 5)
  .option('--port-offset <n>', 'of the stack', Number, 0)
  .option(
    '--env <name=value>',
    'of the processes, instead of what the soak gives them; again and again',
    variable,
  )
  .option('--again', 'only judge and draw what is recorded in the folder', false)
  .action(async (options: Options & { readonly again: boolean }) => {
    const out = outOf(options)
    const recording = options.again ? loadRecording(out) : await soak(options)
    writeFileSync(join(out, 'soak.svg'), plot(recording))
    const { lines, isWell } = reportOf(recording)
    for (const line of lines) console.log(line)
    console.log(`samples and plot: ${out}`)
    if (!isWell) process.exitCode = 1
  })

try {
  await program.parseAsync()
} catch (error) {
  console.error((error as Error).message)
  // Nothing that is still under way is waited for.
  process.exit(1)
}
