/** In which steps a server's table is taken to other columns, whatever the server cannot. */
import { describe, expect, it } from 'vitest'
import type { FollowedSchema, GivenPolicy } from '../../model/schema-change.ts'
import { changeText, followedFrom, policyOf } from '../../model/schema-change.ts'
import type { Column, TableSchema } from '../../model/table-schema.ts'
import { internSchema } from '../../model/table-schema.ts'
import { silentLogger } from '../../observe/logger.ts'
import { CounterRegistry } from '../../observe/metrics.ts'
import type { ApplyPlan } from '../../processors/merge.ts'
import { TableEvolution } from '../../runtime/table-evolution.ts'
import type { EvolveRequest, FailedChange } from '../../sinks/warehouse.ts'
import { column } from '../model/samples.ts'

const id = column('id', { kind: 'int' })
const a = column('a', { kind: 'string' })

const schemaOf = (...columns: readonly Column[]): TableSchema =>
  internSchema({ columns: [id, ...columns], key: ['id'] })

function planOf(schema: TableSchema): ApplyPlan {
  const sourceMs = { first: 200, last: 200 }
  const batch = { schema, sourceMs, newest: { atMs: 200 }, partitionBy: null }
  const covered = [{ offset: 1, batch: batch as never }]
  return { truncate: 'none', sources: covered, covered }
}

class Server {
  readonly calls: string[] = []
  readonly commits: (string | null)[] = []
  readonly evolution: TableEvolution

  constructor(policy: GivenPolicy, cannot: (text: string) => boolean = () => false) {
    const evolve = (request: EvolveRequest): Promise<readonly FailedChange[]> => {
      const changes = request.changes.map(({ change }) => change)
      this.calls.push(changes.map(changeText).join('; '))
      const failed = changes.filter(change => cannot(changeText(change)))
      return Promise.resolve(failed.map(change => ({ change, reason: 'it cannot' })))
    }
    const context = {
      logger: silentLogger,
      metrics: new CounterRegistry(),
      reach: () => undefined,
    }
    this.evolution = new TableEvolution('t', {
      context: context as never,
      pipeline: { warehouse: { sink: { policyOf: () => policyOf(policy) } } } as never,
      warehouse: { isRemote: true, evolve } as never,
      signal: new AbortController().signal,
    })
    const followed = followedFrom(schemaOf(a), 100)
    this.evolution.begin({ through: null, followed, others: new Set() })
  }

  follow(schema: TableSchema): Promise<FollowedSchema | null> {
    return this.evolution.follow(planOf(schema), {
      token: 1,
      begun: () => null,
      isInDoubt: () => false,
      nextAttempt: () => 1,
      commit: ({ followed = null }) => {
        this.commits.push(followed?.schema.columns.map(({ name }) => name).join(', ') ?? null)
        return Promise.resolve()
      },
    })
  }
}

const renamed: Column = { ...a, name: 'b', renamed: { times: 1, atMs: 150 } }

describe('the columns of a server’s table', () => {
  it('a name that a rename leaves is taken by a new column only once the log has the rename', async () => {
    const server = new Server({})
    const again: Column = { ...column('a', { kind: 'string' }), id: 'a~2' }
    await server.follow(schemaOf(renamed, again))
    expect(server.calls).toEqual(['column a is renamed to b', 'column a string is added'])
    expect(server.commits).toEqual(['id, b', 'id, b, a'])
  })

  it('what cannot be made in one way is made in another, and what cannot be at all is left out', async () => {
    const beside = new Server('try_evolve', text => text.includes('renamed'))
    const followed = await beside.follow(schemaOf(renamed))
    expect(beside.calls).toEqual(['column a is renamed to b', 'column b string is added'])
    expect(followed!.schema.columns.map(({ name }) => name)).toEqual(['id', 'a', 'b'])
    const neither = new Server('try_evolve', () => true)
    const same = await neither.follow(schemaOf(renamed))
    expect(neither.calls).toEqual(['column a is renamed to b', 'column b string is added'])
    expect(same!.schema.columns.map(({ name }) => name)).toEqual(['id', 'a'])
  })
})
