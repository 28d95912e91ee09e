/** Faults of what is made of a source's events, before they are staged. */
import { debeziumJson } from '../../../formats/debezium/debezium-json.ts'
import { inMemory } from '../../../state/memory-store.ts'
import { deletingTombstones } from '../../faults/deleting-tombstones.ts'
import { equalIsOlder, positionsAhead } from '../../faults/positions-ahead.ts'
import { recordsAgain } from '../../faults/records-again.ts'
import { rememberedSnapshots } from '../../faults/remembered-snapshots.ts'
import { scaleUnseen } from '../../faults/scale-unseen.ts'
import { smallPolls } from '../../faults/small-polls.ts'
import { trustedBefore } from '../../faults/trusted-before.ts'
import type { PlantedFault } from './planted-fault.ts'
import { hive } from './planted-fault.ts'

export const readingFaults: readonly PlantedFault[] = [
  {
    name: 'a tombstone applied after its dropped `d`',
    over: {
      shop: hive,
      wrap: { log: smallPolls },
      // Slow processes, so that much of a block that is sent again is seen.
      options: {
        instances: 1,
        statements: 100,
        faults: { slow: 5, pause: 0, crash: 0, rebalance: 0 },
      },
    },
    plant: () => ({ shop: { format: deletingTombstones() } }),
    foundWithin: 10,
    says: /went back|which it never was/,
  },
  {
    name: "a snapshot's position remembered",
    over: { options: { connector: 'postgresql', snapshots: true } },
    plant: () => ({ shop: { format: rememberedSnapshots(debeziumJson()) } }),
    foundWithin: 10,
    says: /ended as state|positions went back/,
  },
  {
    name: 'a position store ahead of the offset',
    over: {
      shop: { ordering: 'position', store: equalIsOlder(inMemory()) },
      options: {
        spreads: true,
        log: 'brokers',
        faults: { rebalance: 1, crash: 0.5 },
      },
    },
    plant: () => ({ shop: { store: positionsAhead(equalIsOlder(inMemory())) } }),
    foundWithin: 20,
    says: /ended as state/,
  },
  {
    name: '`before` trusted under DEFAULT identity',
    over: { shop: hive, options: { connector: 'postgresql', oldKeysStayFree: true } },
    plant: () => ({ shop: { format: trustedBefore(debeziumJson()) } }),
    foundWithin: 30,
    says: /ended as state|two rows/,
  },
  {
    name: 'records that were handed out taken again',
    over: { options: { log: 'brokers' } },
    plant: () => ({ wrap: { log: recordsAgain } }),
    foundWithin: 5,
    says: /went back|which it never was/,
  },
  {
    name: 'a wider column with values of before',
    over: { shop: hive },
    plant: () => ({ shop: { overSink: scaleUnseen } }),
    foundWithin: 20,
    says: /which it never was/,
  },
]
