/**
 * The embedded warehouse as a server's, as far as the runtime knows one: the log keeps the progress of its tables,
 * an apply is claimed and may come about twice, and nobody asks for the positions of its rows.
 */
import { assert } from '../../model/errors.ts'
import type { NetChange } from '../../model/net-change.ts'
import type { ApplyReceipt } from '../../model/staged-batch.ts'
import type {
  ApplyRequest,
  DescribedChanges,
  EvolveRequest,
  FailedChange,
  KeepLimits,
  LoggedTable,
  OpenedTable,
  Warehouse,
  WarehouseSink,
} from '../../sinks/warehouse.ts'

export interface ServerFaults {
  readonly keeps: KeepLimits
  /** A truncate takes all rows, newer ones as well. */
  readonly losesNewer?: boolean
}

export function serverLike(sink: WarehouseSink, faults: ServerFaults): WarehouseSink {
  return {
    name: sink.name,
    targetOf: table => sink.targetOf(table),
    policyOf: table => sink.policyOf(table),
    open: context => {
      const { warehouse, staging } = sink.open(context)
      return { warehouse: new Server(warehouse, faults), staging }
    },
  }
}

const noLogged: LoggedTable = { through: null, followed: null, evolving: null }

class Server implements Warehouse {
  readonly name = 'server-like'
  readonly isRemote = true
  readonly parallel = 2
  readonly keeps: KeepLimits
  readonly #tables: Warehouse
  readonly #losesNewer: boolean

  constructor(tables: Warehouse, { keeps, losesNewer = false }: ServerFaults) {
    this.#tables = tables
    this.keeps = keeps
    this.#losesNewer = losesNewer
  }

  async open(table: string, logged: LoggedTable): Promise<OpenedTable | null> {
    const found = await this.#tables.open(table, logged)
    return found === null ? null : { ...found, through: logged.through }
  }

  async look(table: string, logged: LoggedTable): Promise<OpenedTable | null> {
    return await this.open(table, logged)
  }

  /** The columns are changed by the apply: in what serves as the server they are part of its commit. */
  evolve({ claim }: EvolveRequest): Promise<readonly FailedChange[]> {
    return claim().then(() => [])
  }

  describeChanges(): DescribedChanges {
    return { statements: [], impossible: [] }
  }

  describeTable(): readonly string[] {
    return []
  }

  async apply(request: ApplyRequest): Promise<ApplyReceipt> {
    assert(typeof request.truncate === 'string', 'rows of a server keep no positions')
    await request.claim()
    // What it has does not tell how far it is: the statement takes effect once more.
    const after = (await this.#tables.open(request.table, noLogged))?.through ?? null
    const through = { topicId: 'server', offset: (after?.offset ?? -1) + 1 }
    const isLost = this.#losesNewer && request.truncate === 'all'
    const changes = isLost ? none() : request.changes
    return await this.#tables.apply({ ...request, changes, after, through })
  }

  close(): Promise<void> {
    return this.#tables.close()
  }
}

async function* none(): AsyncGenerator<readonly NetChange[]> {
  // Nothing is written again.
}
