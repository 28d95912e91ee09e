/**
 * The named points at which a crash is tested: each is a line of the table in `docs/exactly-once.md`,
 * a step of the simulator, and a point where the tests kill the real process. They lie between any two
 * effects that outlive the process.
 */
export const crashPoints = [
  // Sub-topology 0: outputs and the offset in one transaction.
  'source.before-commit',
  'source.committed',
  // Sub-topology 1: the owner's token; files, then the transaction that names them.
  'window.token-taken',
  'window.closing',
  'window.files-written',
  'window.sealed',
  'window.committed',
  // Sub-topology 2: claim, apply, progress, cleanup.
  'merge.before-token',
  'merge.token-taken',
  'merge.before-apply',
  'apply.files-written',
  'apply.committed',
  'merge.applied',
  'merge.committed',
  'merge.files-removed',
] as const

/** Those of an apply whose warehouse is a server: see `sinks/hive/hive-warehouse.ts`. */
export const serverPoints = [
  // The folder that the statement reads is whole.
  'merge.before-claim',
  'merge.claimed',
  // No other statement on the table is under way.
  'apply.drained',
  'apply.answered',
  // The folder was still there, whole, after the statement.
  'apply.checked',
] as const

/** Those of a change of a table's columns there: see `runtime/table-evolution.ts`. */
export const evolvePoints = [
  // To what it leads is committed; nothing is changed.
  'evolve.claimed',
  // The server has changed the table; the log does not know it.
  'evolve.changed',
  'evolve.committed',
] as const

export type CrashPoint =
  | (typeof crashPoints)[number]
  | (typeof serverPoints)[number]
  | (typeof evolvePoints)[number]

/** Called when the process passes a point. Tests end the process or the simulation in it. */
export type ReachPoint = (point: CrashPoint) => void
