import { describe, expect, it } from 'vitest'
import type { HiveOptions } from '../../../sinks/hive/hive.ts'
import { hive } from '../../../sinks/hive/hive.ts'
import { localStagingFiles } from '../../../sinks/local-staging-files.ts'

function options(settings: Readonly<Record<string, string>>, rest: Partial<HiveOptions> = {}) {
  const connection = { host: 'hive', port: 10_000, sessionSettings: settings }
  const staging: HiveOptions['staging'] = ({ fileSystem }) => localStagingFiles(fileSystem)
  return { connection, staging, stagingPath: '/staging', ...rest }
}

describe('settings of a session', () => {
  it.each(['hive.tez.auto.reducer.parallelism', 'hive.acid.direct.insert.enabled'])(
    'may not turn on %s: tables would be wrong',
    name => {
      expect(() => hive(options({ [name]: 'true' }))).toThrowError(
        expect.objectContaining({ code: 'config-invalid', message: expect.stringContaining(name) }),
      )
      expect(hive(options({ [name]: 'FALSE' })).name).toBe('hive:hive:10000')
    },
  )

  it('may be what is only useful, and what else there is', () => {
    const settings = { 'hive.merge.cardinality.check': 'true', 'tez.queue.name': 'etl' }
    expect(hive(options(settings)).name).toBe('hive:hive:10000')
  })
})

describe('where a table goes', () => {
  it('is its own name, unless all go to one', () => {
    expect(hive(options({})).targetOf('shop.orders')).toEqual({
      table: 'shop.orders',
      partitionBy: null,
    })
    const sink = hive(options({}, { table: 'dw.all', partitionBy: 'year_month(at)' }))
    expect(sink.targetOf('shop.orders')).toEqual({
      table: 'dw.all',
      partitionBy: { column: 'at', unit: 'year_month' },
    })
  })
})
