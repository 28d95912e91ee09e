/**
 * Few combinations of settings in which every two values of any two settings meet at least once.
 */
import type { Random } from '../orc/samples.ts'

type Settings = Readonly<Record<string, readonly unknown[]>>
type Choice<T extends Settings> = { [Name in keyof T]: T[Name][number] }

/** Tries as many random completions for each combination; the best one is taken. */
const attempts = 30

export function pairwise<T extends Settings>(settings: T, random: Random): Choice<T>[] {
  const names = Object.keys(settings)
  const missing = new Set<string>()
  names.forEach((a, index) => {
    for (const b of names.slice(index + 1)) {
      settings[a]!.forEach((_, i) => {
        settings[b]!.forEach((_, j) => {
          missing.add(`${a} ${i} ${b} ${j}`)
        })
      })
    }
  })
  const pairsOf = (places: readonly number[]): string[] =>
    names.flatMap((a, i) =>
      names.slice(i + 1).map((b, j) => `${a} ${places[i]} ${b} ${places[i + 1 + j]}`),
    )
  const choices: Choice<T>[] = []
  while (missing.size > 0) {
    const [a, i, b, j] = [...missing][0]!.split(' ')
    let best: number[] = []
    let most = -1
    for (let attempt = 0; attempt < attempts; attempt++) {
      const places = names.map(name =>
        name === a ? Number(i) : name === b ? Number(j) : random.below(settings[name]!.length),
      )
      const gain = pairsOf(places).filter(pair => missing.has(pair)).length
      if (gain > most) {
        most = gain
        best = places
      }
    }
    for (const pair of pairsOf(best)) missing.delete(pair)
    choices.push(
      Object.fromEntries(names.map((name, k) => [name, settings[name]![best[k]!]])) as Choice<T>,
    )
  }
  return choices
}
