import { describe, expect, it } from 'vitest'
import { ConfigError, ProcessingError } from '../../model/errors.ts'
import type { TableRule } from '../../processors/route-tables.ts'
import { TableRouter } from '../../processors/route-tables.ts'
import { schemaOf } from '../model/samples.ts'
import { eventOf, users } from './samples.ts'

const routerOf = (...rules: readonly TableRule[]) => new TableRouter(rules)
const nameOf = (rule: TableRule, table: string) => routerOf(rule).targetOf(table)?.name ?? null

function routed(router: TableRouter, event: ReturnType<typeof eventOf>) {
  return router.route(event, router.targetOf(event.table)!)
}

describe('where a table goes', () => {
  it('is by its name or by a pattern in which * stops at a point', () => {
    for (const [from, table, matches] of [
      ['demo.user', 'demo.user', true],
      ['demo.user', 'demo.users', false],
      ['demo.user', 'xdemo.user', false],
      ['demo.*', 'demo.user', true],
      ['demo.*', 'demo.', true],
      ['demo.*', 'demo.a.b', false],
      ['demo.*', 'demo2.user', false],
      ['*.user', 'demo.user', true],
      ['*.*', 'demo.user', true],
      ['demo.u*r', 'demo.user', true],
      ['demo.u?er', 'demo.user', false],
      ['demo.a+(b)', 'demo.a+(b)', true],
      ['demo.[ab]', 'demo.a', false],
      ['demoXuser', 'demo.user', false],
    ] as const) {
      expect([from, table, nameOf({ from, to: 'x' }, table) !== null]).toEqual([
        from,
        table,
        matches,
      ])
    }
  })

  it('is the first rule that matches', () => {
    const router = routerOf({ from: 'demo.user', to: 'first' }, { from: 'demo.*', to: 'second' })
    expect(router.targetOf('demo.user')?.name).toBe('first')
    expect(router.targetOf('demo.other')?.name).toBe('second')
    expect(router.targetOf('else.user')).toBeNull()
    expect(router.targetOf('else.user')).toBeNull()
  })

  it('is one target for one source table, unless both rules say that they are parts of one', () => {
    const shared = { code: 'target-shared', context: { table: 'b.user' } }
    for (const rules of [
      [{ from: '*.user', to: 'ods.user' }],
      [
        { from: 'a.*', to: 'ods.{table}' },
        { from: 'b.*', to: 'ods.{table}' },
      ],
      [
        { from: 'a.*', to: 'ods.{table}', merge: true },
        { from: 'b.*', to: 'ods.{table}' },
      ],
    ]) {
      const router = routerOf(...rules)
      expect(router.targetOf('a.user')?.name).toBe('ods.user')
      expect(router.lookUp('b.user')?.name).toBe('ods.user')
      for (let time = 0; time < 2; time += 1) {
        expect(() => router.targetOf('b.user')).toThrow(expect.objectContaining(shared))
      }
      expect(router.targetOf('a.user')?.name).toBe('ods.user')
    }
    const shards = routerOf({ from: 'shop*.orders', to: 'dw.orders', merge: true })
    expect(shards.targetOf('shop1.orders')?.name).toBe('dw.orders')
    expect(shards.targetOf('shop2.orders')?.name).toBe('dw.orders')
  })

  it('is remembered with the columns that came, for whoever reports on the rules', () => {
    const router = routerOf({ from: 'demo.user', to: 'u' })
    routed(router, eventOf({ id: 1 }))
    router.targetOf('demo.else')
    expect([...router.seen()]).toEqual([
      [
        'demo.user',
        {
          target: expect.objectContaining({ name: 'u' }),
          isRefused: false,
          columns: new Set(users.columns.map(({ name }) => name)),
        },
      ],
      ['demo.else', { target: null, isRefused: false, columns: new Set() }],
    ])
  })

  it('is named after the source, as it is and without surprises', () => {
    expect(nameOf({ from: '*.*', to: 'ods.{table}' }, 'demo.user')).toBe('ods.user')
    expect(nameOf({ from: '*.*', to: '{database}_ods.{table}' }, 'demo.user')).toBe('demo_ods.user')
    expect(nameOf({ from: '*.*', to: '{schema}.{table}_{table}' }, 'demo.user')).toBe(
      'demo.user_user',
    )
    // Dollars mean nothing, and a name that looks like a placeholder is a name.
    expect(nameOf({ from: '*.*', to: 'ods.{table}' }, 'demo.$&$1')).toBe('ods.$&$1')
    expect(nameOf({ from: '*.*', to: '{database}.{table}' }, '{table}.user')).toBe('{table}.user')
  })

  it('is divided as its rule says, also before its first event', () => {
    const partitionBy = { column: 'sex', unit: 'value' } as const
    const router = routerOf(
      { from: 'demo.user', to: 'ods.user', partitionBy },
      { from: 'demo.*', to: '{table}' },
    )
    for (const round of [1, 2]) {
      expect(router.partitionByOf('ods.user'), `round ${round}`).toEqual(partitionBy)
      expect(router.partitionByOf('other')).toBeNull()
      expect(router.partitionByOf('a.b.c')).toBeNull()
      router.targetOf('demo.user')
      router.targetOf('demo.other')
    }
    const joined = { from: 'shop*.orders', to: 'dw.{table}_of_all', partitionBy }
    expect(routerOf(joined).partitionByOf('dw.orders_of_all')).toEqual(partitionBy)
  })
})

describe('a truncate of a table', () => {
  const truncated = (table: string, ...rules: readonly TableRule[]) => {
    const origin = { topic: 'shop', partition: 0, offset: 3 }
    return routed(routerOf(...rules), eventOf({ op: 't', table, key: null, after: null, origin }))
      ?.table
  }
  const refused = expect.objectContaining({
    code: 'truncate-shared-target',
    context: { topic: 'shop', partition: 0, offset: 3, table: 'shop1.orders' },
  })

  it('goes on where no other table can go to its target', () => {
    for (const [from, to, name] of [
      ['shop1.orders', 'dw.orders', 'dw.orders'],
      ['shop1.*', '{table}', 'orders'],
      ['*.*', '{database}.{table}', 'shop1.orders'],
      ['*.orders', '{schema}_orders', 'shop1_orders'],
      ['*.*', '{table}_{database}_{table}', 'orders_shop1_orders'],
    ] as const) {
      expect(truncated('shop1.orders', { from, to })).toBe(name)
    }
    const first = { from: 'shop1.orders', to: '{table}' }
    expect(truncated('shop1.orders', first, { from: 'shop1.*', to: '{table}' })).toBe('orders')
  })

  it('is a bad message where the rule merges tables', () => {
    const rule = { from: 'shop*.orders', to: 'dw.orders', merge: true }
    expect(() => truncated('shop1.orders', rule)).toThrow(refused)
  })
})

describe('the columns that are taken', () => {
  it('are all, those included, or those not excluded, in the rows and in the schema', () => {
    const before = { id: 1, name: 'old', sex: 'F' }
    for (const [columns, names] of [
      [undefined, ['id', 'name', 'sex']],
      [{ include: ['id', 'sex'] }, ['id', 'sex']],
      [{ exclude: ['name'] }, ['id', 'sex']],
      [{ include: ['id', 'name'], exclude: ['name'] }, ['id']],
    ] as const) {
      const rule = {
        from: 'demo.user',
        to: 'ods.user',
        ...(columns === undefined ? {} : { columns }),
      }
      const event = routed(routerOf(rule), eventOf({ op: 'u', before }))!
      expect(event.table).toBe('ods.user')
      expect(event.schema.columns.map(({ name }) => name)).toEqual(names)
      expect(Object.keys(event.before!)).toEqual(names)
      expect(Object.keys(event.after!)).toEqual(names)
      expect(event.schema.key).toEqual(['id'])
    }
  })

  it('what was not sent stays not sent', () => {
    const router = routerOf({ from: 'demo.*', to: '{table}', columns: { exclude: ['sex'] } })
    expect(routed(router, eventOf({ op: 'u', after: { id: 1, sex: 'M' } }))!.after).toEqual({
      id: 1,
    })
    expect(routed(router, eventOf({ op: 'd' }))!.after).toBeNull()
  })

  it('of two tables of equal columns are each by its own rule', () => {
    const router = routerOf(
      { from: 'demo.user', to: 'user', columns: { exclude: ['name'] } },
      { from: 'demo.user_bak', to: 'bak', columns: { exclude: ['sex'] } },
    )
    const columns = (table: string) =>
      routed(router, eventOf({ table, schema: users }))!.schema.columns.map(({ name }) => name)
    expect(columns('demo.user')).toEqual(['id', 'sex'])
    expect(columns('demo.user_bak')).toEqual(['id', 'name'])
    expect(columns('demo.user')).toEqual(['id', 'sex'])
  })

  it('of one schema are one schema again', () => {
    const router = routerOf({ from: 'demo.user', to: 'user', columns: { exclude: ['name'] } })
    const schema = () => routed(router, eventOf())!.schema
    expect(schema()).toBe(schema())
    const wider = schemaOf({ id: 'int', name: 'string', sex: 'string', n: 'int' })
    const event = eventOf({ schema: wider, after: { id: 1, name: 'a', sex: null, n: 5 } })
    expect(routed(router, event)!.after).toEqual({ id: 1, sex: null, n: 5 })
  })

  it('that leave out a key column are an error that names it', () => {
    const router = routerOf({ from: 'demo.user', to: 'user', columns: { exclude: ['id'] } })
    expect(() => routed(router, eventOf())).toThrow(ConfigError)
    expect(() => routed(router, eventOf())).toThrow(/key column id/)
  })
})

describe('a table without a key', () => {
  const keyless = eventOf({
    key: null,
    schema: schemaOf({ id: 'int', name: 'string', sex: 'string' }, []),
  })
  const truncate = eventOf({ op: 't', key: null, after: null })

  it('is passed over where a pattern names it, and an error where its name does', () => {
    expect(routed(routerOf({ from: 'demo.*', to: '{table}' }), keyless)).toBeNull()
    const exact = routerOf({ from: 'demo.user', to: 'user' })
    expect(() => routed(exact, keyless)).toThrow(ConfigError)
    expect(() => routed(exact, keyless)).toThrow(/demo\.user has no primary key/)
  })

  it('is refused once, and its truncates with it', () => {
    const router = routerOf({ from: 'demo.*', to: '{table}' })
    expect(routed(router, truncate)).toMatchObject({ op: 't', table: 'user' })
    expect(router.refuse('demo.user')).toBe(true)
    expect(router.refuse('demo.user')).toBe(false)
    expect(routed(router, truncate)).toBeNull()
  })

  it('that has one in its next row is refused no longer: its truncates count again', () => {
    const router = routerOf({ from: 'demo.*', to: '{table}' })
    router.refuse('demo.user')
    expect(routed(router, eventOf())).toMatchObject({ table: 'user' })
    expect(routed(router, truncate)).toMatchObject({ op: 't', table: 'user' })
  })

  it('is none where other rows came with a key: a row that lacks it is bad data, not passed over', () => {
    for (const from of ['demo.*', 'demo.user']) {
      const router = routerOf({ from, to: 'user' })
      routed(router, eventOf())
      expect(() => routed(router, keyless)).toThrow(ProcessingError)
      try {
        routed(router, { ...keyless, origin: { topic: 'shop', partition: 1, offset: 5 } })
      } catch (error) {
        expect(error).toMatchObject({ code: 'key-missing', context: { topic: 'shop', offset: 5 } })
      }
    }
  })
})
