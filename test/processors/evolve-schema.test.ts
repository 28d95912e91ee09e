import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ColumnType } from '../../model/column-type.ts'
import { columnTypeText } from '../../model/column-type.ts'
import type {
  FollowedSchema,
  GivenPolicy,
  SchemaChangeKind,
  SchemaChangeMode,
} from '../../model/schema-change.ts'
import {
  changesBetween,
  changeText,
  followedFrom,
  policyOf,
  schemaChangeModes,
} from '../../model/schema-change.ts'
import type { Column, TableSchema } from '../../model/table-schema.ts'
import { internSchema } from '../../model/table-schema.ts'
import type { SchemaSight } from '../../processors/evolve-schema.ts'
import { changeKey, evolveSchema, matchColumns } from '../../processors/evolve-schema.ts'
import { column } from '../model/samples.ts'

const int: ColumnType = { kind: 'int' }
const text: ColumnType = { kind: 'string' }

const schemaOf = (...columns: readonly Column[]): TableSchema =>
  internSchema({ columns, key: ['id'] })

const id = column('id', int, { nullable: false })
const mail = column('mail', text)
const base = schemaOf(id, mail)

/** What a window says whose newest whole row is of that time and has all columns, but those. */
function seen(schema: TableSchema, atMs: number, without: readonly string[] = []): SchemaSight {
  const newest = without.length === 0 ? { atMs } : { atMs, without }
  return { schema, newest, sourceMs: { first: atMs, last: atMs } }
}

interface Given {
  readonly policy?: GivenPolicy
  readonly failed?: readonly string[]
  readonly others?: readonly string[] | null
}

function follow(
  followed: FollowedSchema | null,
  sights: readonly SchemaSight[],
  { policy = {}, failed = [], others = [] }: Given = {},
): FollowedSchema | null {
  const options = {
    policy: policyOf(policy),
    failed: new Set(failed),
    others: others === null ? null : new Set(others),
  }
  return sights.reduce<FollowedSchema | null>(
    (table, sight) => evolveSchema(table, sight, options),
    followed,
  )
}

/** `id int, mail string (dropped)`. */
function shown(followed: FollowedSchema | null): string {
  const columns = followed!.schema.columns.map(({ name, type, isDropped }) => {
    return `${name} ${columnTypeText(type)}${isDropped === true ? ' (dropped)' : ''}`
  })
  return columns.join(', ')
}

const start = followedFrom(base, 100)

const later: Record<string, TableSchema> = {
  add: schemaOf(id, mail, column('age', int, { initialDefault: 7 })),
  drop: schemaOf(id),
  rename: schemaOf(id, { ...mail, name: 'email', renamed: { times: 1, atMs: 150 } }),
  widen: schemaOf({ ...id, type: { kind: 'bigint' } }, mail),
  nullable: schemaOf({ ...id, nullable: true }, mail),
  comment: schemaOf(id, { ...mail, comment: 'where to write' }),
}

/** What each mode makes of each kind of change; null: the table is held back. */
const expected: Record<string, Record<SchemaChangeMode, string | null>> = {
  add: {
    evolve: 'column age int is added',
    try_evolve: 'column age int is added',
    lenient: 'column age int is added',
    ignore: '',
    exception: null,
  },
  drop: {
    evolve: 'column mail is dropped',
    try_evolve: 'column mail is dropped',
    lenient: '',
    ignore: '',
    exception: null,
  },
  rename: {
    evolve: 'column mail is renamed to email',
    try_evolve: 'column mail is renamed to email',
    lenient: 'column email string is added',
    ignore: '',
    exception: null,
  },
  widen: {
    evolve: 'column id is widened from int to bigint',
    try_evolve: 'column id is widened from int to bigint',
    lenient: 'column id is widened from int to bigint',
    ignore: '',
    exception: null,
  },
  nullable: {
    evolve: 'column id may be null',
    try_evolve: 'column id may be null',
    lenient: 'column id may be null',
    ignore: '',
    exception: null,
  },
  comment: {
    evolve: 'column mail has another comment',
    try_evolve: 'column mail has another comment',
    lenient: 'column mail has another comment',
    ignore: '',
    exception: null,
  },
}

const cases = Object.entries(expected).flatMap(([kind, byMode]) =>
  schemaChangeModes.map(mode => [kind as SchemaChangeKind, mode, byMode[mode]] as const),
)

describe('a change of the source’s columns', () => {
  it.each(cases)('%s, %s: %s', (kind, mode, changes) => {
    const apply = () => follow(start, [seen(later[kind]!, 200)], { policy: { [kind]: mode } })
    if (changes === null) {
      expect(apply).toThrow(
        expect.objectContaining({
          code: 'schema-change-refused',
          message: expect.stringContaining(`schemaChanges.${kind} is "exception"`),
        }),
      )
      return
    }
    const after = apply()!
    const steps = changesBetween(base, after.schema).filter(
      // What the source dropped and the target keeps may be null: nothing is done for it.
      step => !(step.kind === 'nullable' && step.to.isDropped === true),
    )
    expect(steps.map(changeText).join('; ')).toBe(changes)
    // A second batch of the same columns changes nothing more.
    expect(follow(after, [seen(later[kind]!, 300)], { policy: { [kind]: mode } })!.schema).toBe(
      after.schema,
    )
  })

  it.each([
    ['add', 'age', 'id int, mail string'],
    ['drop', 'mail', 'id int, mail string (dropped)'],
    ['rename', 'mail', 'id int, mail string (dropped), email string'],
    ['widen', 'id', 'id int, mail string'],
    ['comment', 'mail', 'id int, mail string'],
  ] as const)(
    '%s, try_evolve, that the warehouse cannot make, goes on without',
    (kind, of, table) => {
      const given = { policy: { [kind]: 'try_evolve' as const }, failed: [changeKey(kind, of)] }
      const after = follow(start, [seen(later[kind]!, 200)], given)
      expect(shown(after)).toBe(table)
    },
  )

  it('that is refused passes once it was made by hand', () => {
    const policy = { add: 'exception' as const }
    const after = follow(start, [seen(later.add!, 200)], { policy, others: ['age'] })
    expect(shown(after)).toBe('id int, mail string, age int')
  })
})

describe('a table that is not there', () => {
  it('is made of the first batch', () => {
    expect(shown(follow(null, [seen(base, 1)], { others: null }))).toBe('id int, mail string')
  })

  it('is not made by "ignore", and held back by "exception"', () => {
    const policy = (mode: SchemaChangeMode): Given => ({
      others: null,
      policy: { 'create-table': mode },
    })
    expect(follow(null, [seen(base, 1)], policy('ignore'))).toBeNull()
    expect(() => follow(null, [seen(base, 1)], policy('exception'))).toThrow(/create-table/)
    // It is there by now, made by hand.
    const made = { ...policy('exception'), others: ['id', 'mail'] }
    expect(shown(follow(null, [seen(base, 1)], made))).toBe('id int, mail string')
  })

  it('of which only a truncate came is none yet', () => {
    const nothing = internSchema({ columns: [], key: [] })
    expect(follow(null, [seen(nothing, 1)], { others: null })).toBeNull()
  })

  it('has what the first window dropped again only where the policy keeps it', () => {
    const sight = seen(base, 5, ['mail'])
    expect(shown(follow(null, [sight], { others: null }))).toBe('id int, mail string (dropped)')
    const evolved = follow(null, [sight], { others: null, policy: 'evolve' })
    expect(shown(evolved)).toBe('id int')
    expect(evolved!.dropped).toEqual([{ id: 'mail', name: 'mail', atMs: 5 }])
  })
})

describe('batches of tasks that are not in step', () => {
  const evolve: Given = { policy: 'evolve' }
  const wide = schemaOf(id, mail, column('age', int))

  it('an older one never brings a dropped column back', () => {
    const after = follow(followedFrom(wide, 100), [seen(base, 200), seen(wide, 150)], evolve)
    expect(shown(after)).toBe('id int, mail string')
  })

  it('a newer one does, as another column', () => {
    const after = follow(followedFrom(wide, 100), [seen(base, 200), seen(wide, 250)], evolve)!
    expect(shown(after)).toBe('id int, mail string, age int')
    expect(after.schema.columns[2]!.id).toBe('age~2')
    // Its values go to the new one, and so do those of a source that knows it as another one.
    const known = schemaOf(id, mail, { ...column('age', int), id: 'age~2' })
    expect(follow(after, [seen(wide, 260), seen(known, 270)], evolve)!.schema).toBe(after.schema)
  })

  it('an older one does not drop what it does not know yet', () => {
    const after = follow(start, [seen(wide, 200), seen(base, 150), seen(base, 200)], evolve)
    expect(shown(after)).toBe('id int, mail string, age int')
  })

  it('one whose window saw the column go drops it', () => {
    const after = follow(followedFrom(wide, 100), [seen(wide, 200, ['age'])], evolve)
    expect(shown(after)).toBe('id int, mail string')
    expect(shown(follow(after, [seen(wide, 210, ['age'])], evolve))).toBe('id int, mail string')
  })

  it('the later of two names holds, whichever comes first', () => {
    const [first, second] = [1, 2].map(times =>
      schemaOf(id, { ...mail, name: `name${times}`, renamed: { times, atMs: 150 } }),
    )
    const there = follow(start, [seen(first!, 200), seen(second!, 210), seen(first!, 190)])
    const back = follow(start, [seen(second!, 210), seen(base, 90), seen(first!, 190)])
    expect([shown(there), shown(back)]).toEqual(['id int, name2 string', 'id int, name2 string'])
  })

  it('a source that was read anew, and calls a renamed column by its new name only, has the same', () => {
    const renamed = follow(start, [seen(later.rename!, 200)])!
    const anew = schemaOf(id, column('email', text))
    const after = follow(renamed, [seen(anew, 300)])!
    expect(shown(after)).toBe('id int, email string')
    const again = { ...column('email', text), name: 'post', renamed: { times: 1, atMs: 400 } }
    expect(shown(follow(after, [seen(schemaOf(id, again), 500)]))).toBe('id int, post string')
  })

  it('rows that tell no whole schema drop nothing', () => {
    const narrow: SchemaSight = { schema: schemaOf(id), sourceMs: { first: 900, last: 900 } }
    const inferred = seen(internSchema({ ...schemaOf(id), isInferred: true }), 900)
    for (const sight of [narrow, inferred]) {
      expect(shown(follow(start, [sight], evolve))).toBe('id int, mail string')
    }
  })

  it('a comment of an older one is not taken', () => {
    const old = schemaOf(id, { ...mail, comment: 'old' })
    const after = follow(start, [seen(later.comment!, 200), seen(old, 150)])!
    expect(after.schema.columns[1]!.comment).toBe('where to write')
  })
})

describe('columns of one name', () => {
  it('a key that is renamed keeps its name where the target does not follow', () => {
    const key = { ...id, name: 'uid', renamed: { times: 1, atMs: 150 } }
    const renamed = internSchema({ columns: [key, mail], key: ['uid'] })
    const lenient: Given = { policy: { rename: 'lenient' } }
    const after = follow(start, [seen(renamed, 200)], lenient)!
    expect([shown(after), after.schema.key]).toEqual(['id int, mail string', ['id']])
    const evolved = follow(after, [seen(base, 120), seen(renamed, 210)])!
    expect([shown(evolved), evolved.schema.key]).toEqual(['uid int, mail string', ['uid']])
  })

  it('one beside a renamed one has no default: its rows of before are under the old name', () => {
    const named = { ...mail, name: 'email', initialDefault: 'x', renamed: { times: 1, atMs: 150 } }
    const after = follow(start, [seen(schemaOf(id, named), 200)], {
      policy: { rename: 'lenient' },
    })!
    expect(after.schema.columns[2]).not.toHaveProperty('initialDefault')
  })

  it('a renamed one is not added where nothing is', () => {
    const policy = { rename: 'lenient', add: 'ignore' } as const
    expect(shown(follow(start, [seen(later.rename!, 200)], { policy }))).toBe('id int, mail string')
  })

  it('one that went within the first window is left out where its name was taken again', () => {
    const again = { ...column('mail', int), id: 'mail~2' }
    const sight = seen(schemaOf(id, mail, again), 5, ['mail'])
    expect(shown(follow(null, [sight], { others: null }))).toBe('id int, mail int')
  })

  it('what an older batch has of a dropped one does not go to the one that was made again', () => {
    const wide = schemaOf(id, mail, column('age', int))
    const given: Given = { policy: 'evolve' }
    const after = follow(followedFrom(wide, 100), [seen(base, 200), seen(wide, 250)], given)!
    const [, , old] = matchColumns(after, seen(wide, 150))
    expect(old![1]).toBeNull()
    expect(matchColumns(after, seen(wide, 260))[2]![1]!.id).toBe('age~2')
  })

  it('of a table that somebody made, what it lacks is added by the policy', () => {
    const sight = seen(schemaOf(id, mail, column('age', int)), 5)
    const made = (policy: GivenPolicy): Given => ({ policy, others: ['id', 'mail', 'own'] })
    expect(shown(follow(null, [sight], made({ add: 'ignore' })))).toBe('id int, mail string')
    expect(shown(follow(null, [sight], made({})))).toBe('id int, mail string, age int')
    expect(() => follow(null, [sight], made({ add: 'exception' }))).toThrow(/new column age/)
  })
})

describe('what no table holds', () => {
  it('is refused: a type beside another, another key, two columns of one name', () => {
    const other = schemaOf(id, column('mail', { kind: 'date' }))
    expect(() => follow(start, [seen(other, 200)])).toThrow(/no type holds the values of both/)
    const keyed = internSchema({ columns: [id, mail], key: ['id', 'mail'] })
    expect(() => follow(start, [seen(keyed, 200)])).toThrow(/the key changed/)
    const kept = follow(followedFrom(schemaOf(id, mail, column('old', text)), 1), [seen(base, 2)])
    const taken = schemaOf(id, { ...mail, name: 'old', renamed: { times: 1, atMs: 3 } })
    expect(() => follow(kept, [seen(taken, 4)])).toThrow(
      expect.objectContaining({ code: 'schema-change-unsupported' }),
    )
  })

  it('a renamed key column is the same key', () => {
    const renamed = internSchema({
      columns: [{ ...id, name: 'uid', renamed: { times: 1, atMs: 150 } }, mail],
      key: ['uid'],
    })
    const after = follow(start, [seen(renamed, 200)])!
    expect(after.schema.key).toEqual(['uid'])
    // And a batch of before still fits.
    expect(follow(after, [seen(base, 120)])!.schema.key).toEqual(['uid'])
  })
})

describe('any history, whatever the order of its batches', () => {
  const names = ['a', 'b', 'c', 'd']
  /** Versions of a table: which columns it had, one after the other. */
  const versions = fc.array(fc.subarray(names), { minLength: 1, maxLength: 6 })
  const schemaAt = (columns: readonly string[]): TableSchema =>
    schemaOf(id, ...columns.map(name => column(name, text)))

  it('ends, once the newest came, with its columns, and nothing is dropped that it has', () => {
    fc.assert(
      fc.property(versions, fc.infiniteStream(fc.nat()), (history, picks) => {
        const sights = history.map((columns, at) => seen(schemaAt(columns), at + 1))
        // Each batch may come several times, in any order; then comes a row that is newer than all.
        const order = [...picks.take(12)].map(pick => sights[pick % sights.length]!)
        const newest = seen(schemaAt(history.at(-1)!), history.length + 1)
        const wanted = ['id', ...history.at(-1)!].sort()
        const evolved = follow(null, [...order, newest], { policy: 'evolve' })!
        expect(evolved.schema.columns.map(({ name }) => name).sort()).toEqual(wanted)
        const lenient = follow(null, [...order, newest])!
        const live = lenient.schema.columns.filter(({ isDropped }) => isDropped !== true)
        const isThere = (name: string): boolean => live.some(one => one.name === name)
        expect(wanted.every(isThere)).toBe(true)
        const ids = lenient.schema.columns.map(one => one.id)
        expect(new Set(ids).size).toBe(ids.length)
      }),
      { numRuns: 500 },
    )
  })
})
