import { describe, expect, inject, it } from 'vitest'
import type { History } from '../../../observe/history/history.ts'
import { mysqlHistory } from '../../../observe/history/mysql-history.ts'
import type { HistoryServer } from '../../../observe/history/postgres-history.ts'
import { postgresHistory } from '../../../observe/history/postgres-history.ts'
import { CounterRegistry } from '../../../observe/metrics.ts'
import { systemClock } from '../../../runtime/clock.ts'
import { portOf } from '../../../scripts/stack/parts.ts'
import { historyConformance } from '../../../testkit/history-conformance.ts'
import { recorderOf } from '../../observe/history/recorded-driver.ts'
import { until } from '../instances.ts'
import { BrokerProxy } from '../proxy.ts'
import type { DatabaseKind } from './databases.ts'
import { runSql } from './databases.ts'

const users = {
  postgres: { user: 'postgres', password: 'postgres' },
  mariadb: { user: 'root', password: 'root' },
} as const

/** Beyond those of stacks. */
const proxyPorts = { postgres: 29_010, mariadb: 29_011 } as const

interface Place {
  readonly isWriter: boolean
  readonly port?: number
  readonly password?: string
  readonly timeoutMs?: number
}

function historyIn(kind: DatabaseKind, { port, timeoutMs = 10_000, ...more }: Place): History {
  const own = port ?? portOf(kind, inject('stack'))
  const server: HistoryServer = {
    host: '127.0.0.1',
    port: own,
    database: 'demo',
    timeoutMs,
    ...users[kind],
    ...more,
  }
  return kind === 'postgres' ? postgresHistory(server) : mysqlHistory(server, 'mariadb')
}

describe.each(['postgres', 'mariadb'] as const)('the history in %s', kind => {
  it.each(historyConformance.map((one, index) => ({ ...one, application: `case-${index}` })))(
    '$title',
    async ({ run, application }) => {
      await run(isWriter => historyIn(kind, { isWriter }), application)
    },
  )

  it('says what is wrong with a password, a port, and tables that are not there', async () => {
    const refusing = historyIn(kind, { isWriter: true, password: 'wrong' })
    await expect(refusing.open()).rejects.toMatchObject({ code: 'history-unavailable' })
    const absent = historyIn(kind, { isWriter: true, port: 9 })
    await expect(absent.open()).rejects.toThrow('ECONNREFUSED')
    await Promise.all([refusing.close(), absent.close()])
  })

  it('never holds back who records: what a silent server did not take is told when it answers', async () => {
    const target = portOf(kind, inject('stack'))
    const proxyPort = proxyPorts[kind]
    const proxy = await BrokerProxy.open({ proxy: proxyPort, target })
    const metrics = new CounterRegistry()
    const run = `silent-${kind}`
    const at = { task: '0_t-0', topic: 't', topic_id: 'i', topic_partition: 0 }
    const recorder = recorderOf({
      history: historyIn(kind, { isWriter: true, port: proxyPort, timeoutMs: 500 }),
      clock: systemClock,
      run,
      metrics,
      limits: { maxWaiting: 100 },
    })
    const commit = (number: number): void => {
      const range = { from_offset: number, to_offset: number + 1 }
      recorder.put('sources', { ...at, ...range, state: 'completed', events: 1 })
    }
    const rows = async (): Promise<number> => {
      const sql = `SELECT count(*) FROM forager_sources WHERE run_id = '${run}'`
      return Number(await runSql(inject('stack'), kind, [sql]))
    }
    try {
      recorder.start()
      for (let number = 0; number < 10; number += 1) commit(number)
      await until('rows', () => metrics.total('forager_history_rows_total') >= 10)
      expect(await rows()).toBe(10)
      proxy.silence()
      for (let number = 10; number < 400; number += 1) commit(number)
      await until('a failure', () => metrics.total('forager_history_failures_total') > 0)
      const lost = metrics.total('forager_history_lost_total')
      expect(lost).toBe(290)
      proxy.restore()
      await recorder.close(null)
      expect(await rows()).toBe(110)
      const told = await runSql(inject('stack'), kind, [
        `SELECT concat(from_offset, ' ', to_offset, ' ', row_count) FROM forager_lost WHERE run_id = '${run}'`,
        `SELECT concat(state, ' ', last_seq) FROM forager_runs WHERE run_id = '${run}'`,
      ])
      expect(told).toBe('10 300 290\ncompleted 400\n')
    } finally {
      await proxy.close()
    }
  })
})
