/**
 * A server of tables, as far as the runtime knows one: statements take effect and are answered when a test says
 * so. It outlives the instances that ask it.
 */
import { WarehouseError } from '../../model/errors.ts'
import { decodeKey } from '../../model/key.ts'
import type { NetChange } from '../../model/net-change.ts'
import { netChangeValues } from '../../model/net-change.ts'
import type { PartitionBy } from '../../model/partition-by.ts'
import type { GivenPolicy, SchemaChangeKind } from '../../model/schema-change.ts'
import { changeText, policyOf } from '../../model/schema-change.ts'
import type { ApplyReceipt } from '../../model/staged-batch.ts'
import { keyColumns } from '../../model/table-schema.ts'
import { localStagingFiles } from '../../sinks/local-staging-files.ts'
import { StagedFiles } from '../../sinks/staged-files.ts'
import type {
  ApplyRequest,
  EvolveRequest,
  FailedChange,
  KeepLimits,
  LoggedTable,
  OpenedTable,
  Warehouse,
  WarehouseSink,
} from '../../sinks/warehouse.ts'

const receipt: ApplyReceipt = {
  outcome: 'applied',
  rowsInserted: 0,
  rowsUpdated: 0,
  rowsDeleted: 0,
  rowsSearched: 0,
}

export class Statement {
  readonly request: ApplyRequest
  readonly changes: readonly NetChange[]
  readonly #server: RemoteServer
  readonly #answer: (error: Error | null) => void
  isOpen = true

  constructor(
    server: RemoteServer,
    request: ApplyRequest,
    changes: readonly NetChange[],
    answer: (error: Error | null) => void,
  ) {
    this.#server = server
    this.request = request
    this.changes = changes
    this.#answer = answer
  }

  get table(): string {
    return this.request.table
  }

  get ids(): readonly number[] {
    return this.changes.map(idOf)
  }

  /** Nobody is told. */
  takeEffect(): void {
    const rows = this.#server.rowsOf(this.table)
    if (this.request.truncate === 'all') rows.clear()
    for (const change of this.changes) {
      if (change.kind === 'delete') rows.delete(idOf(change))
      else rows.set(idOf(change), netChangeValues(change)!.map(String).join())
    }
  }

  succeed(): void {
    this.takeEffect()
    this.#end(null)
  }

  fail(code: 'statement-failed' | 'statement-unknown' | 'target-unsuitable'): void {
    const retry = code === 'target-unsuitable' ? 'never' : 'backoff'
    this.#end(new WarehouseError(code, 'the server said no', { retry }))
  }

  #end(error: Error | null): void {
    this.isOpen = false
    this.#answer(error)
  }
}

function idOf({ key, schema }: NetChange): number {
  return Number(decodeKey(keyColumns(schema), key)[0])
}

interface Gate {
  readonly opens: Promise<void>
  readonly open: () => void
}

function closedGate(): Gate {
  let open: () => void = () => undefined
  const opens = new Promise<void>(resolve => {
    open = resolve
  })
  return { opens, open }
}

export class RemoteServer {
  readonly statements: Statement[] = []
  readonly #tables = new Map<string, Map<number, string>>()
  /** Attempts that have not claimed wait until it is let go. */
  #gate: Gate | null = null
  waitingForClaim: string[] = []
  keeps: KeepLimits = { maxAgeMs: 60_000, maxBytes: 1_000_000 }
  /** What a table is divided by; others are refused. */
  readonly partitionedBy = new Map<string, PartitionBy | null>()
  readonly evolves: EvolveRequest[] = []
  /** Names of columns by table. */
  readonly madeByHand = new Map<string, readonly string[]>()
  /** Each change of columns fails so, until it is emptied. */
  readonly evolveFailures: Error[] = []
  #evolveGate: Gate | null = null
  /** Of columns, as they were made. */
  readonly changes: string[] = []
  /** Kinds of changes that it cannot make. */
  readonly unsupported = new Set<SchemaChangeKind>()
  policy: GivenPolicy = {}
  readonly policyByTable = new Map<string, GivenPolicy>()
  /** Each look at a table fails so, until it is emptied. */
  readonly openFailures: Error[] = []

  /** Rows by id, as text. */
  rowsOf(table: string): Map<number, string> {
    const rows = this.#tables.get(table) ?? new Map<number, string>()
    this.#tables.set(table, rows)
    return rows
  }

  idsOf(table: string): readonly number[] {
    return [...this.rowsOf(table).keys()].sort((a, b) => a - b)
  }

  get open(): readonly Statement[] {
    return this.statements.filter(({ isOpen }) => isOpen)
  }

  openOf(table: string): Statement | undefined {
    return this.open.find(one => one.table === table)
  }

  holdClaims(): void {
    this.#gate = closedGate()
  }

  /** What changes columns gets no further than its claim. */
  holdEvolves(): void {
    this.#evolveGate = closedGate()
  }

  letEvolvesGo(): void {
    this.#evolveGate = null
  }

  /** Those that were held go on, too. */
  openEvolves(): void {
    this.#evolveGate?.open()
    this.#evolveGate = null
  }

  letClaimsGo(): void {
    this.#gate?.open()
    this.#gate = null
  }

  sink(partitionBy: PartitionBy | null = null): WarehouseSink {
    return {
      name: 'remote',
      targetOf: table => ({ table, partitionBy }),
      policyOf: table => policyOf(this.policyByTable.get(table) ?? this.policy),
      open: ({ fileSystem, random }) => ({
        warehouse: this.#warehouse(),
        staging: new StagedFiles({
          files: localStagingFiles(fileSystem),
          root: '/staging',
          random,
        }),
      }),
    }
  }

  #warehouse(): Warehouse {
    return {
      name: 'remote',
      isRemote: true,
      keeps: this.keeps,
      parallel: 2,
      open: (table, logged) => this.#look(table, logged),
      look: (table, logged) => this.#look(table, logged),
      evolve: request => this.#evolve(request),
      describeTable: table => [`make ${table}`],
      describeChanges: (_table, changes) => ({
        statements: changes.map(changeText),
        impossible: changes
          .filter(({ kind }) => this.unsupported.has(kind))
          .map(change => ({ change, reason: 'it cannot' })),
      }),
      apply: request => this.#apply(request),
      close: () => Promise.resolve(),
    }
  }

  #look(table: string, { through, followed }: LoggedTable): Promise<OpenedTable | null> {
    const failure = this.openFailures.shift()
    if (failure !== undefined) return Promise.reject(failure)
    const others = new Set(this.madeByHand.get(table))
    const isThere = through !== null || this.madeByHand.has(table)
    return Promise.resolve(isThere ? { through, followed, others } : null)
  }

  async #evolve(request: EvolveRequest): Promise<readonly FailedChange[]> {
    const { table, changes, claim } = request
    await claim()
    this.evolves.push(request)
    await this.#evolveGate?.opens
    const failure = this.evolveFailures.shift()
    if (failure !== undefined) throw failure
    const failed: FailedChange[] = []
    for (const { change, mayFail } of changes) {
      const text = changeText(change)
      if (!this.unsupported.has(change.kind)) this.changes.push(`${table}: ${text}`)
      else if (mayFail) failed.push({ change, reason: 'the server cannot' })
      else throw new WarehouseError('schema-change-unsupported', `${text}, and the server cannot`)
    }
    return failed
  }

  async #apply(request: ApplyRequest): Promise<ApplyReceipt> {
    const { table, partitionBy, signal } = request
    const changes: NetChange[] = []
    for await (const part of request.changes) changes.push(...part)
    this.waitingForClaim.push(table)
    await this.#gate?.opens
    await request.claim()
    const isNewTable = !this.#tables.has(table)
    const own = this.partitionedBy.get(table)
    if (own !== undefined && own?.column !== partitionBy?.column) {
      throw new WarehouseError('partitioning-changed', 'the table is divided otherwise')
    }
    return await new Promise((resolve, reject) => {
      const answer = (error: Error | null): void => {
        if (error === null) resolve({ ...receipt, isNewTable })
        else reject(error)
      }
      const statement = new Statement(this, request, changes, answer)
      signal.addEventListener('abort', () => statement.fail('statement-unknown'))
      this.statements.push(statement)
    })
  }
}
