/**
 * Whether a series stays flat. What a collector or a sweep takes back goes up and down: of each short stretch the
 * least value counts, as what could not be taken back. The slope of these is the median of the slopes between all
 * pairs (Theil and Sen), which a fifth of outliers does not move; and it is taken over the second half, behind
 * warming up. A slope counts when so many of the pairs rise that chance does it once in twenty times (Mann and
 * Kendall): of what only goes up and down, twelve values have a slope too.
 */

export interface Point {
  readonly atSeconds: number
  readonly value: number
}

/** What is judged, and how fast it may grow. */
export interface Bound {
  readonly name: string
  readonly unit: string
  readonly maxPerHour: number
}

export interface Verdict extends Bound {
  /** First and last seconds of what was judged. */
  readonly fromSeconds: number
  readonly untilSeconds: number
  /** Middle of the least values, and the largest value. */
  readonly median: number
  readonly max: number
  readonly perHour: number
  readonly isFlat: boolean
}

/** Fewer tell nothing. */
const stretches = 12

/** Null when there are too few points for a verdict. */
export function judge(points: readonly Point[], bound: Bound): Verdict | null {
  const [first, last] = [points[0], points.at(-1)]
  if (first === undefined || last === undefined) return null
  const middle = (first.atSeconds + last.atSeconds) / 2
  const second = points.filter(({ atSeconds }) => atSeconds >= middle)
  const floors = leastOf(second, stretches)
  if (floors.length < stretches) return null
  const perHour = slope(floors) * 3600
  return {
    ...bound,
    fromSeconds: second[0]!.atSeconds,
    untilSeconds: last.atSeconds,
    median: median(floors.map(({ value }) => value)),
    max: second.reduce((most, { value }) => Math.max(most, value), -Infinity),
    perHour,
    isFlat: perHour <= bound.maxPerHour || !isRising(floors),
  }
}

/** The least point of each of so many stretches of the same length; fewer where stretches are empty. */
function leastOf(points: readonly Point[], count: number): readonly Point[] {
  const [first, last] = [points[0]!.atSeconds, points.at(-1)!.atSeconds]
  const least = new Map<number, Point>()
  for (const point of points) {
    const share = (point.atSeconds - first) / Math.max(last - first, 1e-9)
    const stretch = Math.min(count - 1, Math.floor(share * count))
    const known = least.get(stretch)
    if (known === undefined || point.value < known.value) least.set(stretch, point)
  }
  return [...least.values()]
}

/** Per second: the median over all pairs. */
export function slope(points: readonly Point[]): number {
  const slopes = points.flatMap((a, index) =>
    points.slice(index + 1).flatMap(b => {
      return a.atSeconds === b.atSeconds ? [] : [(b.value - a.value) / (b.atSeconds - a.atSeconds)]
    }),
  )
  return slopes.length === 0 ? 0 : median(slopes)
}

/** Of one side, at five of a hundred. */
const significant = 1.645

function isRising(points: readonly Point[]): boolean {
  const count = points.length
  const rises = points.reduce((sum, a, index) => {
    return points.slice(index + 1).reduce((part, b) => part + Math.sign(b.value - a.value), sum)
  }, 0)
  const variance = (count * (count - 1) * (2 * count + 5)) / 18
  return (rises - 1) / Math.sqrt(variance) > significant
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}
