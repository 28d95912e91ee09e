/** `forager dead-letters replay CONFIG`: brings bad messages that were kept back into the application. */
import type { DeadLetter } from '../../model/dead-letter.ts'
import { ConfigError } from '../../model/errors.ts'
import { systemClock } from '../../runtime/clock.ts'
import { readDeadLetters, replayDeadLetters, whyNotReplayable } from '../../runtime/dead-letters.ts'
import { openOwnLog, sourceName } from '../application.ts'
import type { LoadedConfig } from '../config.ts'
import { plural, writeOut } from '../output.ts'
import { UsageError } from '../usage-error.ts'

export interface ReplayOptions {
  /** Letters by their number in the list. */
  readonly offset?: readonly number[]
  readonly all: boolean
  readonly dryRun: boolean
}

/** Exit code 1 when a letter that was asked for is not there, or cannot be replayed. */
export async function replayDeadLettersCommand(
  loaded: LoadedConfig,
  { offset: offsets = [], all, dryRun }: ReplayOptions,
): Promise<number> {
  if (all === offsets.length > 0) {
    throw new UsageError('say which letters are replayed: --offset N …, or --all')
  }
  const { applicationId, source, onError } = loaded.config
  if (source.ordering !== 'position' || onError !== 'dead-letter') {
    throw new ConfigError(
      'replay-needs-position',
      `\`source.ordering\` is ${source.ordering}, and \`onError\` is ${onError}`,
    )
  }
  const log = await openOwnLog(loaded)
  const wants = ({ offset }: DeadLetter): boolean => all || offsets.includes(offset)
  const found = new Set<number>()
  let refused = 0
  let count = 0
  try {
    if (log !== null) {
      for await (const letter of readDeadLetters(log, applicationId)) {
        if (!wants(letter)) continue
        found.add(letter.offset)
        const why = whyNotReplayable(letter, systemClock.now())
        if (why === null) count += 1
        else {
          refused += 1
          await writeOut(`Not ${letter.offset}: ${why}. ${advice}\n`)
        }
      }
      const options = { applicationId, source: sourceName, clock: systemClock, wants }
      if (!dryRun && count > 0) count = await replayDeadLetters(log, options)
    }
  } finally {
    await log?.close()
  }
  const missing = offsets.filter(offset => !found.has(offset))
  for (const offset of missing) {
    await writeOut(`Not ${offset}: there is no such letter, or it was replayed before.\n`)
  }
  await writeOut(`${dryRun ? 'Would replay' : 'Replayed'} ${plural(count, 'dead letter')}.\n`)
  return refused + missing.length === 0 ? 0 : 1
}

const advice = 'Take an incremental snapshot of its row.'
