import { bufferCount, filter, map, mergeMap, pipe, Subject } from 'rxjs'
import { describe, expect, it } from 'vitest'
import type { ChangeEvent, EventBatch } from '../../model/change-event.ts'
import { ForagerError, ProcessingError, TopologyError } from '../../model/errors.ts'
import type { Value } from '../../model/value.ts'
import type { Processor, ProcessorContext } from '../../processors/processor.ts'
import { TableRouter } from '../../processors/route-tables.ts'
import {
  filterEvents,
  mapEvents,
  pipeEvents,
  processEvents,
  routeEvents,
} from '../../processors/transforms.ts'
import { schemaOf } from '../model/samples.ts'
import { eventOf, nodeContext } from './samples.ts'

type Operator = ReturnType<typeof filterEvents>

/** What the operator makes of the batches, batch by batch; an error is thrown. */
function run(operator: Operator, batches: readonly EventBatch[]): EventBatch[] {
  const input = new Subject<EventBatch>()
  const output: EventBatch[] = []
  const failures: unknown[] = []
  input
    .pipe(operator)
    .subscribe({ next: batch => output.push(batch), error: e => failures.push(e) })
  for (const batch of batches) input.next(batch)
  input.complete()
  if (failures.length > 0) throw failures[0]
  return output
}

const ids = (batches: readonly EventBatch[]) =>
  batches.map(batch => batch.map(({ key }) => key!.id))
const batchOf = (...given: readonly number[]) => given.map(id => eventOf({ id, offset: id }))

function failure(operator: Operator): ForagerError {
  try {
    run(operator, [batchOf(1, 2, 3)])
  } catch (error) {
    expect(error).toBeInstanceOf(ForagerError)
    return error as ForagerError
  }
  return expect.unreachable()
}

const forwarding = (change: (event: ChangeEvent) => ChangeEvent) => (): Processor => {
  let context: ProcessorContext
  return {
    init: given => {
      context = given
    },
    process: event => context.forward(change(event)),
  }
}

const throwAtTwo = (event: ChangeEvent): true => {
  if (event.key!.id === 2) throw new TypeError('boom')
  return true
}

describe('filter and map', () => {
  it('keep the order and the batches', () => {
    const odd = filterEvents('odd', event => Number(event.key!.id) % 2 === 1)
    expect(ids(run(odd, [batchOf(1, 2, 3), [], batchOf(4)]))).toEqual([[1, 3], [], []])
    const renamed = mapEvents('rename', event => ({
      ...event,
      after: { ...event.after, name: 'x' },
    }))
    expect(run(renamed, [batchOf(1)])[0]![0]!.after).toMatchObject({ id: 1, name: 'x' })
  })

  it('give rows whose values have the form of their types, however they are made', () => {
    const schema = schemaOf({
      id: 'int',
      price: { kind: 'decimal', precision: 4, scale: 2 },
      small: 'tinyint',
      name: 'string',
      flag: 'boolean',
      day: 'date',
      at: 'timestamp',
      raw: 'binary',
      list: { kind: 'array', element: { kind: 'int' } },
      ratio: 'double',
    })
    const good = {
      id: 1,
      price: 9999n,
      small: -128,
      name: 'x',
      flag: false,
      day: 1,
      at: 1n,
      raw: Buffer.from('x'),
      list: [1, null],
      ratio: 0.5,
    }
    const given = eventOf({ schema, after: { id: 1 } })
    const changeBy = (after: Record<string, Value>) => (event: ChangeEvent) => ({ ...event, after })
    const operators = (change: (event: ChangeEvent) => ChangeEvent): Operator[] => [
      mapEvents('mine', change),
      pipeEvents('mine', [map(change)]),
      processEvents('mine', forwarding(change), nodeContext()).operator,
    ]
    for (const operator of operators(changeBy(good))) {
      expect(run(operator, [[given]])[0]![0]!.after).toEqual(good)
    }
    const wrong: Record<string, readonly Value[]> = {
      id: ['1', 0.5, 2 ** 31],
      price: [0.05, '0.05', 10_000],
      small: [128],
      name: [1, true],
      flag: [1, 'true'],
      day: ['2024-01-01', 1n],
      at: [0.5, '2024-01-01'],
      raw: ['x'],
      list: [1, ['x']],
      ratio: ['0.5', 1n],
    }
    for (const [column, values] of Object.entries(wrong)) {
      for (const value of values) {
        for (const operator of operators(changeBy({ ...good, [column]: value }))) {
          const context = { topic: 'shop', partition: 0, offset: 0, table: 'demo.user', column }
          expect(() => run(operator, [[given]]), `${column} ${String(value)}`).toThrow(
            expect.objectContaining({
              code: 'value-invalid',
              context: { ...context, node: 'mine' },
              message: expect.stringContaining('"mine" gave a row in which'),
            }),
          )
        }
      }
    }
  })

  it('what they throw names the node and the event, and keeps its cause', () => {
    for (const operator of [
      filterEvents('mine', throwAtTwo),
      mapEvents('mine', event => throwAtTwo(event) && event),
    ]) {
      const error = failure(operator)
      expect(error).toBeInstanceOf(ProcessingError)
      expect(error.code).toBe('processor-failed')
      expect(error.message).toContain('"mine"')
      expect(error.message).toContain('boom')
      expect(error.cause).toBeInstanceOf(TypeError)
      expect(error.context).toMatchObject({
        topic: 'shop',
        offset: 2,
        table: 'demo.user',
        node: 'mine',
      })
    }
  })

  it('an error of Forager’s own is passed on as it is, with the node’s name', () => {
    const own = new ProcessingError('value-invalid', 'mine', { context: { column: 'n' } })
    const operator = filterEvents('mine', () => {
      throw own
    })
    expect(failure(operator)).toBe(own)
    expect(own.context).toEqual({ column: 'n', node: 'mine' })
  })

  it('a map that changes the table or the key is refused', () => {
    const changes: readonly ((event: ChangeEvent) => ChangeEvent)[] = [
      event => ({ ...event, table: 'other' }),
      event => ({ ...event, key: { id: 9 } }),
    ]
    for (const change of changes)
      expect(failure(mapEvents('mine', change))).toBeInstanceOf(TopologyError)
  })
})

describe('a processor of one’s own', () => {
  it('forwards none, one or many of each event, in order', () => {
    const supplier = (): Processor => {
      let context: ProcessorContext
      return {
        init: own => {
          context = own
        },
        process: event => {
          for (let times = 0; times < Number(event.key!.id); times += 1) context.forward(event)
        },
      }
    }
    const { operator } = processEvents('repeat', supplier, nodeContext())
    expect(ids(run(operator, [batchOf(0, 2, 1), batchOf(0)]))).toEqual([[2, 2, 1], []])
  })

  it('is one for each task, is told of its task, and is closed', () => {
    const seen: string[] = []
    const supplier = (): Processor => ({
      init: ({ task }) => seen.push(`init ${task}`),
      process: () => seen.push('process'),
      close: () => seen.push('close'),
    })
    const live = [nodeContext(), nodeContext()].map(context =>
      processEvents('p', supplier, context),
    )
    run(live[0]!.operator, [batchOf(1)])
    live[0]!.close()
    expect(seen).toEqual(['init 0_shop-0', 'init 0_shop-0', 'process', 'close'])
    const bare = processEvents('p', () => ({ process: () => undefined }), nodeContext())
    expect(() => bare.close()).not.toThrow()
  })

  it('what it throws names the node', () => {
    const supplier = (): Processor => ({ process: event => void throwAtTwo(event) })
    const { operator } = processEvents('mine', supplier, nodeContext())
    expect(failure(operator)).toMatchObject({ code: 'processor-failed', context: { node: 'mine' } })
  })

  it('what it forwards too late is refused, and not lost in silence', () => {
    const contexts: ProcessorContext[] = []
    const supplier = (): Processor => ({
      init: context => void contexts.push(context),
      process: event => contexts[0]!.forward(event),
    })
    const { operator } = processEvents('late', supplier, nodeContext())
    const late = (): void => contexts[0]!.forward(eventOf())
    expect(late).toThrow(TopologyError)
    expect(ids(run(operator, [batchOf(1)]))).toEqual([[1]])
    // As a timer, a promise or `close` would.
    expect(late).toThrow(TopologyError)
    expect(late).toThrow(/"late"/)
  })

  it('one that threw can go on with the next event', () => {
    const contexts: ProcessorContext[] = []
    const supplier = (): Processor => ({
      init: context => void contexts.push(context),
      process: event => throwAtTwo(event) && contexts[0]!.forward(event),
    })
    const { operator } = processEvents('mine', supplier, nodeContext())
    expect(() => run(operator, [batchOf(1, 2, 3)])).toThrow(ProcessingError)
    expect(ids(run(operator, [batchOf(3)]))).toEqual([[3]])
  })
})

describe('operators of one’s own', () => {
  it('see single events, and what they emit goes on in order', () => {
    const operator = pipeEvents('mine', [
      filter(event => event.key!.id !== 2),
      map(event => ({ ...event, op: 'u' as const })),
    ])
    expect(ids(run(operator, [batchOf(1, 2, 3), [], batchOf(4)])).flat()).toEqual([1, 3, 4])
  })

  it('may hold events back until the end', () => {
    const pairs = pipe(
      bufferCount<ChangeEvent>(2),
      mergeMap(pair => [...pair].reverse()),
    )
    expect(ids(run(pipeEvents('mine', [pairs]), [batchOf(1, 2, 3)])).flat()).toEqual([2, 1, 3])
  })

  it('none at all passes every event', () => {
    expect(ids(run(pipeEvents('mine', []), [batchOf(1, 2)])).flat()).toEqual([1, 2])
  })
})

describe('routing', () => {
  const router = () => new TableRouter([{ from: 'demo.*', to: 'ods.{table}' }])
  const schema = schemaOf({ id: 'int' }, [])

  it('sends tables to their targets, counts what nobody wants and what has no key', () => {
    const context = nodeContext()
    const { operator } = routeEvents(router(), context)
    const batch = [
      eventOf({ id: 1 }),
      eventOf({ id: 2, table: 'else.user' }),
      eventOf({ table: 'demo.log', key: null, schema }),
      eventOf({ table: 'demo.log', key: null, schema }),
      eventOf({ id: 3 }),
    ]
    const [out] = run(operator, [batch])
    expect(out!.map(({ table, key }) => [table, key!.id])).toEqual([
      ['ods.user', 1],
      ['ods.user', 3],
    ])
    expect(context.metrics.total('forager_events_unrouted_total', { table: 'else.user' })).toBe(1)
    expect(context.metrics.total('forager_events_refused_total', { table: 'demo.log' })).toBe(2)
  })

  it('warns of a table without a key once', () => {
    const warnings: unknown[] = []
    const logger = { ...nodeContext().logger, warn: (...given: unknown[]) => warnings.push(given) }
    const { operator } = routeEvents(router(), { ...nodeContext(), logger })
    const keyless = eventOf({ table: 'demo.log', key: null, schema })
    run(operator, [[keyless, keyless], [keyless]])
    expect(warnings).toHaveLength(1)
    expect(JSON.stringify(warnings[0])).toContain('demo.log')
  })

  it('has a word in a truncate: it is renamed, or ends here with its table', () => {
    const { truncate } = routeEvents(router(), nodeContext())
    const event = eventOf({ op: 't', key: null, after: null })
    expect(truncate(event)).toMatchObject({ op: 't', table: 'ods.user' })
    expect(truncate({ ...event, table: 'else.user' })).toBeNull()
  })
})
