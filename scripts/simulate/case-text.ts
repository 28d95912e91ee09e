/** A case of the simulator as options of the command line, and back. */
import type { SimulationCase } from '../../testkit/simulation/shrink.ts'

/** `12`: the first twelve. `1-3,7`: these. Null: it is neither. */
export function parseNumbers(text: string): readonly number[] | null {
  if (/^[1-9]\d{0,5}$/.test(text)) return range(1, Number(text))
  const numbers = text.split(',').flatMap(part => {
    const found = /^([1-9]\d{0,5})(?:-([1-9]\d{0,5}))?$/.exec(part)
    if (found === null) return [Number.NaN]
    const [from, to] = [Number(found[1]), Number(found[2] ?? found[1])]
    return from <= to ? range(from, to) : [Number.NaN]
  })
  const isRising = numbers.every((number, index) => index === 0 || number > numbers[index - 1]!)
  return isRising && !numbers.includes(Number.NaN) ? numbers : null
}

/** What `parseNumbers` reads. */
export function numbersText(numbers: readonly number[]): string {
  if (numbers.at(-1) === numbers.length) return `${numbers.length}`
  const runs: [number, number][] = []
  for (const number of numbers) {
    const last = runs.at(-1)
    if (last?.[1] === number - 1) last[1] = number
    else runs.push([number, number])
  }
  // One number alone would be the first so many.
  const isAlone = numbers.length === 1
  return runs.map(([from, to]) => (from === to && !isAlone ? `${from}` : `${from}-${to}`)).join()
}

/** What to type to run the case again, as it is. */
export function replayLine(scenario: string, given: SimulationCase): string {
  const { seed, statements, instances, withoutFaults, skippedFaults } = given
  const parts = [
    ...(scenario === 'any' ? [] : [`--scenario ${scenario}`]),
    `--seed ${seed}`,
    `--statements ${numbersText(statements)}`,
    ...(instances === null ? [] : [`--instances ${instances}`]),
    ...(withoutFaults.length === 0 ? [] : [`--without ${withoutFaults.join()}`]),
    ...(skippedFaults.length === 0 ? [] : [`--skip-faults ${skippedFaults.join()}`]),
    '--shrink-runs 0',
  ]
  return `npm run simulate -- ${parts.join(' ')}`
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, index) => from + index)
}
