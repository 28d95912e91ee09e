/**
 * Renamed columns of one table, as statements that can be made one after the other and found half done. A name
 * must be free before it is taken, so where one column gets the name that another one leaves, the last of them
 * is renamed first. Then exactly one name of such a chain is free at any time, and says how far it came:
 *
 *     a → b → c     a b ·  nothing is done     a · c  b is c by now     · b c  all is done
 */

export interface Rename {
  /** In lower case. */
  readonly from: string
  readonly to: string
}

export interface RenameSteps<R extends Rename> {
  /** In the order in which they are to be made. */
  readonly left: readonly R[]
  readonly done: readonly R[]
  /** Their last name belongs to another column, or they exchange their names. */
  readonly stuck: readonly R[]
  /** A column of theirs is not there at all. */
  readonly lost: readonly R[]
}

export function renameSteps<R extends Rename>(
  renames: readonly R[],
  names: ReadonlySet<string>,
): RenameSteps<R> {
  const steps = { left: [] as R[], done: [] as R[], stuck: [] as R[], lost: [] as R[] }
  const chains = chainsOf(renames)
  for (const chain of chains) {
    const own = [chain[0]!.from, ...chain.map(({ to }) => to)]
    const free = own.flatMap((name, place) => (names.has(name) ? [] : [place]))
    if (free.length === 0) steps.stuck.push(...chain)
    else if (free.length > 1) steps.lost.push(...chain)
    else {
      steps.left.push(...chain.slice(0, free[0]).reverse())
      steps.done.push(...chain.slice(free[0]))
    }
  }
  const inChains = new Set(chains.flat())
  steps.stuck.push(...renames.filter(one => !inChains.has(one)))
  return steps
}

/** Each from the column whose name nobody takes. */
function chainsOf<R extends Rename>(renames: readonly R[]): readonly (readonly R[])[] {
  const byName = new Map(renames.map(one => [one.from, one]))
  const taken = new Set(renames.map(({ to }) => to))
  return renames
    .filter(({ from }) => !taken.has(from))
    .map(first => {
      const chain: R[] = []
      for (let one: R | undefined = first; one !== undefined; one = byName.get(one.to)) {
        chain.push(one)
      }
      return chain
    })
}
