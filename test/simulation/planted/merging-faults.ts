/** Faults of mergers: what they apply, when, and who may. */
import { forgottenApplied } from '../../faults/forgotten-applied.ts'
import { oneLeaf } from '../../faults/one-leaf.ts'
import { unalignedTruncates } from '../../faults/unaligned-truncates.ts'
import { withoutDrain } from '../../faults/without-drain.ts'
import type { PlantedFault } from './planted-fault.ts'
import { hive } from './planted-fault.ts'

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
