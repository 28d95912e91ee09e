/** The real servers for tests and trials: `npm run stack -- up|down|status|logs [part…]`. */
import { resolve } from 'node:path'
import { Command, InvalidArgumentError } from 'commander'
import type { StackOptions } from './stack/parts.ts'
import { down, logTail, partsNamed, status, up } from './stack/stack.ts'

const say = (line: string): void => console.log(line)

function wholeNumber(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('must be a whole number')
  return Number(text)
}

const program = new Command('stack')
  .description('Starts and stops the real servers that tests and trials use.')
  .option('--home <folder>', 'where jars, data and logs lie', '.cache/stack')
  .option(
    '--data <folder>',
    'where settings, data and logs lie; beside the jars unless it is given',
  )
  .option('--port-offset <n>', 'added to every port', wholeNumber, 0)

function optionsOf(): StackOptions {
  type Given = { home: string; data?: string; portOffset: number }
  const { home, data, portOffset } = program.opts<Given>()
  const folders = { home: resolve(home), ...(data === undefined ? {} : { data: resolve(data) }) }
  return { ...folders, portOffset }
}

program
  .command('up [part...]')
  .description('starts parts and what they need; when none is named, all but extra ones')
  .action(async (names: string[]) => {
    const parts = await up(names, optionsOf(), say)
    for (const part of parts) say(`${part.name} is at ${part.address(optionsOf())}`)
  })
program
  .command('down [part...]')
  .description('ends parts; their data stays')
  .action((names: string[]) => down(names, optionsOf(), say))
program
  .command('status')
  .description('what runs')
  .action(() => status(optionsOf(), say))
program
  .command('logs [part...]')
  .description('the end of the log of each part')
  .action(async (names: string[]) => {
    for (const part of partsNamed(names)) {
      say(`== ${part.name}\n${await logTail(part, optionsOf(), 40)}`)
    }
  })

try {
  await program.parseAsync()
} catch (error) {
  console.error((error as Error).message)
  process.exitCode = 1
}
