/**
 * The simulator by hand: `npm run simulate -- --seed 7` tells the story of a seed, `-- --seeds 500` looks for
 * one that breaks a promise. What it finds is made small and told, with the line that replays it. Exit
 * codes: 0 all promises were kept, 1 one was broken, 2 what was typed cannot be done.
 */
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import { type Scenario, scenarioNames } from '../test/simulation/scenarios.ts'
import type { SearchSummary } from '../testkit/simulation/search.ts'
import { SimulationError } from '../testkit/simulation/search.ts'
import { faultKinds } from '../testkit/simulation/simulator.ts'
import { withoutSteps } from '../testkit/simulation/story.ts'
import { parseNumbers } from './simulate/case-text.ts'
import { freshSeed } from './simulate/fresh-seed.ts'
import { searchScenario } from './simulate/search-scenario.ts'

interface Given {
  readonly scenario: Scenario
  readonly seed?: number
  readonly seeds?: number
  readonly from?: number
  readonly fresh?: true
  readonly minutes?: number
  readonly statements?: readonly number[]
  readonly instances?: number
  readonly without?: readonly string[]
  readonly skipFaults?: readonly string[]
  readonly shrinkRuns: number
  readonly steps?: true
}

const defaultSeeds = 100

const program = new Command('npm run simulate --')
  .description(
    'Runs the real runtime over simulated brokers, files, time and faults, from seeds, and judges what ' +
      'readers of its tables see. docs/simulator.md',
  )
  .addOption(
    new Option('--scenario <name>', 'what is simulated').choices(scenarioNames).default('any'),
  )
  .addOption(new Option('--seed <n>', 'this seed alone, with its story').argParser(wholeNumber))
  .option('--seeds <n>', `so many seeds (default: ${defaultSeeds})`, count)
  .option('--minutes <n>', 'seeds for so long', positive)
  .option('--from <n>', 'the first seed (default: 1)', wholeNumber)
  .addOption(new Option('--fresh', 'the first seed is the clock’s').conflicts('from'))
  .option(
    '--statements <list>',
    'of the source: the first so many, or those of a list: 1-7,12',
    numbers,
  )
  .option('--instances <n>', 'so many at once (default: as the seed says)', count)
  .option(
    '--without <kinds>',
    `kinds of faults that never happen: ${Object.keys(faultKinds).join(', ')}`,
    kinds,
  )
  .option(
    '--skip-faults <list>',
    'single faults that do not happen, as the story names them: crash-2,pause-1',
    list,
  )
  .option(
    '--shrink-runs <n>',
    'cases tried at most to make a failing one small; 0 leaves it as it is',
    wholeNumber,
    300,
  )
  .option('--steps', 'the story with every step that was scheduled')
  .allowExcessArguments(false)
  .showHelpAfterError('(npm run simulate -- --help lists the options)')
  .exitOverride()

function wholeNumber(text: string): number {
  if (!/^\d{1,10}$/.test(text)) throw new InvalidArgumentError('must be a whole number.')
  return Number(text)
}

function count(text: string): number {
  if (!/^[1-9]\d{0,9}$/.test(text)) throw new InvalidArgumentError('must be a whole number from 1.')
  return Number(text)
}

function positive(text: string): number {
  if (!(Number(text) > 0)) throw new InvalidArgumentError('must be a number above 0.')
  return Number(text)
}

function numbers(text: string): readonly number[] {
  const parsed = parseNumbers(text)
  if (parsed === null) throw new InvalidArgumentError('must be a number, or a list like 1-7,12.')
  return parsed
}

function list(text: string): readonly string[] {
  return text.split(',').filter(part => part !== '')
}

function kinds(text: string): readonly string[] {
  const unknown = list(text).find(kind => !(kind in faultKinds))
  if (unknown === undefined) return list(text)
  throw new InvalidArgumentError(
    `there is no kind ${unknown}; known are ${Object.keys(faultKinds).join(', ')}.`,
  )
}

async function main(given: Given): Promise<number> {
  const { scenario, seed, statements, instances = null } = given
  if (
    seed !== undefined &&
    (given.seeds ?? given.minutes ?? given.from ?? given.fresh) !== undefined
  ) {
    throw new CommanderError(
      2,
      'usage',
      'error: --seed is one seed: leave out --seeds, --minutes, --from and --fresh',
    )
  }
  const startedMs = Date.now()
  let lastStory: readonly string[] = []
  try {
    const summary = await searchScenario({
      scenario,
      seeds: seedsOf(given, startedMs),
      given: {
        ...(statements === undefined ? {} : { statements }),
        instances,
        withoutFaults: given.without ?? [],
        skippedFaults: given.skipFaults ?? [],
      },
      maxShrinkRuns: given.shrinkRuns,
      onRun: ({ story }) => {
        lastStory = story
      },
      onSeed: (one, { seeds }) => {
        if (seed === undefined && seeds % 100 === 0)
          console.log(`${seeds} seeds, the last one ${one}`)
      },
    })
    if (seed !== undefined) print(given.steps === true ? lastStory : withoutSteps(lastStory))
    console.log(`${summaryText(summary, startedMs)}: all promises were kept`)
    return 0
  } catch (error) {
    if (!(error instanceof SimulationError)) throw error
    print(given.steps === true ? error.steps : error.story)
    console.log(`\n${error.message.split('\nIts story')[0]!}`)
    console.log(`Replay it: ${error.replay}`)
    return 1
  }
}

function* seedsOf(
  { seed, seeds, from, fresh, minutes }: Given,
  startedMs: number,
): Generator<number> {
  if (seed !== undefined) {
    yield seed
    return
  }
  const first = from ?? (fresh === true ? freshSeed(startedMs) : 1)
  const last = first + (seeds ?? (minutes === undefined ? defaultSeeds : Infinity))
  const untilMs = startedMs + (minutes ?? Infinity) * 60_000
  console.log(`seeds from ${first}`)
  for (let one = first; one < last && Date.now() < untilMs; one += 1) yield one
}

function print(lines: readonly string[]): void {
  console.log(lines.join('\n'))
}

function summaryText(summary: SearchSummary, startedMs: number): string {
  const { seeds, statements, faults, crashes, looks } = summary
  const seconds = ((Date.now() - startedMs) / 1000).toFixed(0)
  return `${seeds} seeds, ${statements} statements, ${faults} faults, ${crashes} crashes, ${looks} looks, ${seconds} s`
}

try {
  program.parse()
  process.exitCode = await main(program.opts<Given>())
} catch (error) {
  if (!(error instanceof CommanderError)) throw error
  if (error.code === 'usage') console.error(error.message)
  process.exitCode = error.exitCode === 0 ? 0 : 2
}
