/** Faults of mergers: what they apply, when, and who may. */

import type { SimulationOptions } from '../../../testkit/simulation/simulator.ts'
import { firstClaims } from '../../faults/first-claims.ts'
import { forgottenApplied } from '../../faults/forgotten-applied.ts'
import { oneFolder } from '../../faults/one-folder.ts'
import { oneLeaf } from '../../faults/one-leaf.ts'
import { smallPolls } from '../../faults/small-polls.ts'
import { unalignedTruncates } from '../../faults/unaligned-truncates.ts'
import { withoutDrain } from '../../faults/without-drain.ts'
import type { PlantedFault } from './planted-fault.ts'
import { hive } from './planted-fault.ts'

/** Nothing goes wrong but statements, which say too little. */
const unanswered: SimulationOptions['faults'] = {
  crash: 0,
  pause: 0,
  slow: 0,
  transient: 0,
  'session-lost': 0,
  'statement-aborted': 0,
  'statement-late': 0,
}

export const mergingFaults: readonly PlantedFault[] = [
  {
    name: 'a statement submitted while one before is under way',
    over: {
      shop: hive,
      options: {
        log: 'brokers',
        instances: 1,
        truncates: false,
        statements: 150,
        faults: { 'statement-late': 25, 'statement-lost': 60, crash: 0, pause: 0 },
      },
    },
    plant: () => ({ shop: { overSink: withoutDrain } }),
    foundWithin: 10,
    says: /has two rows/,
  },
  {
    name: 'a claim per owner instead of per attempt',
    over: {
      shop: hive,
      options: {
        log: 'brokers',
        instances: 2,
        truncates: false,
        statements: 250,
        faults: { ...unanswered, 'statement-delayed': 60, 'statement-lost': 0, rebalance: 0 },
      },
    },
    plant: () => ({ shop: { overSink: oneFolder } }),
    foundWithin: 5,
    says: /has two rows|which it never was/,
  },
  {
    name: 'a resubmit with more batches',
    over: {
      shop: hive,
      // The next owner reads batch by batch.
      wrap: { log: smallPolls },
      options: {
        log: 'brokers',
        instances: 2,
        truncates: false,
        statements: 150,
        faults: { ...unanswered, 'statement-lost': 80, rebalance: 0.1 },
      },
    },
    plant: () => ({ wrap: { log: log => firstClaims(smallPolls(log)) } }),
    foundWithin: 5,
    says: /went back/,
  },
  {
    name: 'an apply beneath a later batch',
    over: { shop: hive },
    plant: () => ({ wrap: { log: forgottenApplied } }),
    foundWithin: 10,
    says: /went back/,
  },
  {
    name: '`leaves` kept as one value',
    over: { shop: hive },
    plant: () => ({ shop: { overSink: oneLeaf } }),
    foundWithin: 10,
    says: /has two rows|ended as state/,
  },
  {
    name: 'truncate without alignment',
    over: { options: { truncateShare: 0.06 } },
    plant: () => ({ wrap: { log: unalignedTruncates } }),
    foundWithin: 5,
    says: /went back|ended as state/,
  },
]
