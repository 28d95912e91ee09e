/** Faults of tasks: their windows, their transactions, and who has them. */
import { inMemory } from '../../../state/memory-store.ts'
import type { SimulationOptions } from '../../../testkit/simulation/simulator.ts'
import { earlyOffsets } from '../../faults/early-offsets.ts'
import { expiringTopics } from '../../faults/expiring-topics.ts'
import { offsetBeforeHop } from '../../faults/offset-before-hop.ts'
import { offsetBeforeStaging } from '../../faults/offset-before-staging.ts'
import { presenceByPlace } from '../../faults/presence-by-place.ts'
import { sharedWindow } from '../../faults/shared-window.ts'
import { unfencedCommits } from '../../faults/unfenced-commits.ts'
import { unsyncedFolders } from '../../faults/unsynced-folders.ts'
import { withoutGeneration } from '../../faults/without-generation.ts'
import type { PlantedFault } from './planted-fault.ts'

/** Instances that take tasks from each other. */
const rivals: Partial<SimulationOptions> = {
  log: 'brokers',
  instances: 3,
  statements: 80,
  faults: { rebalance: 1, pause: 0.3, crash: 0.1 },
}

export const taskFaults: readonly PlantedFault[] = [
  {
    name: 'offset committed before staging',
    plant: () => ({ wrap: { log: offsetBeforeStaging } }),
    foundWithin: 2,
    says: /changes of \w+ that it passes 0 are staged/,
  },
  {
    name: 'offset committed before the hop',
    plant: () => ({ wrap: { log: offsetBeforeHop } }),
    foundWithin: 2,
    says: /it passes \d+ changes that were not handed on/,
  },
  {
    name: 'offsets fetched before the id is initialised',
    over: { wrap: { log: withoutGeneration }, options: rivals },
    plant: () => ({ wrap: { log: log => earlyOffsets(withoutGeneration(log)) } }),
    foundWithin: 10,
    says: /the task is at offset|its offset is gone|does not begin at/,
  },
  {
    name: 'commit without fencing',
    over: { options: rivals },
    plant: () => {
      let number = 0
      return { wrap: { log: log => unfencedCommits(log, () => (number += 1)) } }
    },
    foundWithin: 10,
    says: /the task is at offset|is not there|does not begin at/,
  },
  {
    name: 'a window over two tasks',
    plant: () => ({ shop: { store: sharedWindow(inMemory()) } }),
    foundWithin: 10,
    says: /which it never was|ended as state/,
  },
  {
    name: 'internal topics that expire',
    plant: () => ({ wrap: { broker: broker => expiringTopics(broker, 2000) } }),
    foundWithin: 5,
    says: /is not there|does not begin at|the task is at offset/,
  },
  {
    name: 'a folder not synced: of staging',
    plant: () => ({ shop: { overSink: sink => unsyncedFolders(sink, '/staging') } }),
    foundWithin: 2,
    says: /the file .* is not durable/,
  },
  {
    name: 'a folder not synced: of a table',
    plant: () => ({ shop: { overSink: sink => unsyncedFolders(sink, '/warehouse') } }),
    foundWithin: 5,
    says: /cannot open \/warehouse\/|went back/,
  },
  {
    name: 'presence by ordinal',
    plant: () => ({ shop: { overSink: presenceByPlace } }),
    foundWithin: 5,
    says: /which it never was|has the memo/,
  },
]
