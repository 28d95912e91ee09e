import {
  asyncScheduler,
  bufferCount,
  catchError,
  concatMap,
  delay,
  EMPTY,
  filter,
  first,
  last,
  type MonoTypeOperatorFunction,
  map,
  mergeMap,
  NEVER,
  observeOn,
  pipe,
  queueScheduler,
  Subject,
  scan,
  share,
  single,
  take,
  takeUntil,
} from 'rxjs'
import { describe, expect, it, vi } from 'vitest'
import type { ChangeEvent, EventBatch } from '../../model/change-event.ts'
import { ForagerError, ProcessingError, TopologyError } from '../../model/errors.ts'
import type { ProcessorContext } from '../../processors/processor.ts'
import { filterEvents, mapEvents, pipeEvents, processEvents } from '../../processors/transforms.ts'
import { Chain } from '../../runtime/chain.ts'
import type { TransformNode } from '../../topology/nodes.ts'
import { eventOf, nodeContext } from '../processors/samples.ts'

const node = (name: string, supply: TransformNode['supply']): TransformNode => ({
  kind: 'transform',
  keepsKeys: true,
  name,
  supply,
})

/** Operators of a user's own, as `.pipe(name, …)` makes a node of them. */
const piped = (name: string, ...operators: readonly MonoTypeOperatorFunction<ChangeEvent>[]) =>
  node(name, () => ({ operator: pipeEvents(name, operators) }))

const passing = (name: string) => node(name, () => ({ operator: filterEvents(name, () => true) }))

function chainOf(...nodes: readonly TransformNode[]) {
  const seen: unknown[] = []
  const collect = (batch: EventBatch): void => void seen.push(...batch.map(({ key }) => key!.id))
  return { chain: new Chain(nodes, nodeContext(), collect), seen }
}

const batchOf = (...ids: readonly number[]) => ids.map(id => eventOf({ id, offset: id }))

function errorOf(action: () => unknown): ForagerError {
  try {
    action()
  } catch (error) {
    expect(error).toBeInstanceOf(ForagerError)
    return error as ForagerError
  }
  return expect.unreachable()
}

const throwAt =
  (id: number) =>
  (event: ChangeEvent): ChangeEvent => {
    if (event.key!.id === id) throw new TypeError('boom')
    return event
  }

describe('a chain', () => {
  it('runs a batch through all its nodes to its end before push returns', () => {
    const odd = node('odd', () => ({
      operator: filterEvents('odd', ({ key }) => Number(key!.id) % 2 === 1),
    }))
    const { chain, seen } = chainOf(
      odd,
      piped(
        'double',
        mergeMap(event => [event, event]),
      ),
    )
    chain.push(batchOf(1, 2, 3))
    expect(seen).toEqual([1, 1, 3, 3])
    chain.push(batchOf(5))
    expect(seen).toEqual([1, 1, 3, 3, 5, 5])
  })

  it('without nodes passes what comes; empty batches are not handed on', () => {
    const batches: EventBatch[] = []
    const chain = new Chain([], nodeContext(), batch => void batches.push(batch))
    chain.push(batchOf(1))
    chain.push([])
    chain.complete()
    chain.push(batchOf(2))
    expect(batches).toHaveLength(2)
  })

  it('lets go of what operators hold back when it is completed, and starts anew', () => {
    const pairs = pipe(
      bufferCount<ChangeEvent>(2),
      mergeMap(pair => pair),
    )
    const { chain, seen } = chainOf(piped('pairs', pairs))
    chain.push(batchOf(1, 2, 3))
    expect(seen).toEqual([1, 2])
    chain.complete()
    expect(seen).toEqual([1, 2, 3])
    chain.push(batchOf(4, 5))
    chain.complete()
    expect(seen).toEqual([1, 2, 3, 4, 5])
    chain.complete()
    expect(seen).toEqual([1, 2, 3, 4, 5])
  })

  it('what only the end of a stream lets through comes with every completion', () => {
    const { chain, seen } = chainOf(piped('latest', last()))
    for (const id of [1, 2]) {
      chain.push(batchOf(id, id + 10))
      chain.complete()
    }
    expect(seen).toEqual([11, 12])
  })

  it('memory of an operator ends with a completion: it would not survive a crash', () => {
    const counting = scan((sum: ChangeEvent, event) => ({
      ...event,
      sourceMs: sum.sourceMs + event.sourceMs,
    }))
    const sums: number[] = []
    const nodes = [piped('sum', counting)]
    const chain = new Chain(nodes, nodeContext(), batch => void sums.push(batch[0]!.sourceMs))
    chain.push(batchOf(1, 2))
    chain.complete()
    chain.push(batchOf(3))
    expect(sums).toEqual([1000, 2000, 1000])
  })

  it('operators that are synchronous in a queue, or shared, lose nothing', () => {
    const { chain, seen } = chainOf(
      piped('queue', observeOn(queueScheduler)),
      piped('share', share()),
      piped(
        'inner',
        concatMap(event => [event]),
      ),
    )
    chain.push(batchOf(1, 2, 3))
    chain.complete()
    chain.push(batchOf(4))
    chain.complete()
    expect(seen).toEqual([1, 2, 3, 4])
  })
})

describe('a node that throws', () => {
  it('is named, whichever kind it is, and push throws', () => {
    const bad = [
      piped('bad', map(throwAt(2))),
      piped(
        'bad',
        concatMap(event => [throwAt(2)(event)]),
      ),
      node('bad', () => ({ operator: mapEvents('bad', throwAt(2)) })),
      node('bad', context =>
        processEvents('bad', () => ({ process: event => void throwAt(2)(event) }), context),
      ),
    ]
    for (const one of bad) {
      const { chain } = chainOf(passing('before'), one, passing('after'), piped('last'))
      const error = errorOf(() => chain.push(batchOf(1, 2, 3)))
      expect(error).toBeInstanceOf(ProcessingError)
      expect(error.code).toBe('processor-failed')
      expect(error.context.node).toBe('bad')
      expect(error.message).toContain('"bad" failed: TypeError: boom')
      expect(error.cause).toBeInstanceOf(TypeError)
    }
  })

  it('is never followed by events in silence: every call fails until the chain is built anew', () => {
    const { chain, seen } = chainOf(piped('bad', map(throwAt(2))))
    const error = errorOf(() => chain.push(batchOf(1, 2, 3)))
    expect(errorOf(() => chain.push(batchOf(4)))).toBe(error)
    expect(errorOf(() => chain.complete())).toBe(error)
    expect(seen).toEqual([1])
    chain.reset()
    chain.push(batchOf(3, 4))
    chain.complete()
    expect(seen).toEqual([1, 3, 4])
  })

  it('only when it ends is named too', () => {
    const { chain } = chainOf(passing('before'), piped('one', single()))
    const error = errorOf(() => chain.push(batchOf(1, 2)))
    expect(error.context.node).toBe('one')
    const { chain: empty } = chainOf(piped('one', first()))
    const ended = errorOf(() => empty.complete())
    expect(ended.context.node).toBe('one')
  })

  it('with an error of Forager’s own passes that error', () => {
    const own = new TopologyError('topology-invalid', 'own')
    const { chain } = chainOf(
      piped(
        'bad',
        map(() => {
          throw own
        }),
      ),
    )
    expect(errorOf(() => chain.push(batchOf(1)))).toBe(own)
  })

  it('behind the chain: what the subscriber throws comes out of push, and nothing follows it', () => {
    const seen: unknown[] = []
    const chain = new Chain([piped('single')], nodeContext(), batch => {
      seen.push(...batch.map(({ key }) => key!.id))
      if (batch[0]!.key!.id === 2) throw new RangeError('full')
    })
    expect(() => chain.push(batchOf(1, 2, 3))).toThrow(RangeError)
    expect(seen).toEqual([1, 2])
    expect(() => chain.push(batchOf(4))).toThrow(RangeError)
    expect(() => chain.complete()).toThrow(RangeError)
    chain.reset()
    chain.push(batchOf(5))
    expect(seen).toEqual([1, 2, 5])
  })
})

describe('a node that ends its stream early', () => {
  it('is refused by its name, at the event that ended it', () => {
    const until = new Subject<void>()
    const early: readonly (readonly [string, MonoTypeOperatorFunction<ChangeEvent>])[] = [
      ['take', take(2)],
      ['first', first()],
      [
        'caught',
        pipe(
          map(throwAt(2)),
          catchError(() => EMPTY),
        ),
      ],
    ]
    for (const [name, operator] of early) {
      const { chain } = chainOf(passing('before'), piped(name, operator), passing('after'))
      const error = errorOf(() => chain.push(batchOf(1, 2, 3)))
      expect([error.code, error.context.node]).toEqual(['chain-ended-early', name])
    }
    const { chain } = chainOf(piped('until', takeUntil(until)))
    chain.push(batchOf(1))
    until.next()
    expect(errorOf(() => chain.push(batchOf(2))).context.node).toBe('until')
  })
})

describe('a node that is asynchronous', () => {
  it('is refused by its name when it is completed, with what it still holds', () => {
    const late: readonly (readonly [string, MonoTypeOperatorFunction<ChangeEvent>])[] = [
      ['delay', delay(1)],
      ['observe', observeOn(asyncScheduler)],
      ['promise', mergeMap(event => Promise.resolve(event))],
      ['never', mergeMap(() => NEVER)],
    ]
    for (const [name, operator] of late) {
      const { chain, seen } = chainOf(passing('before'), piped(name, operator), passing('after'))
      chain.push(batchOf(1))
      const error = errorOf(() => chain.complete())
      expect([error.code, error.context.node]).toEqual(['chain-asynchronous', name])
      expect(seen).toEqual([])
      chain.close()
    }
  })

  it('is refused as well when it emits between two calls, and what it emits is not passed on', () => {
    vi.useFakeTimers()
    try {
      const { chain, seen } = chainOf(piped('delay', delay(5)), passing('after'))
      chain.push(batchOf(1))
      vi.advanceTimersByTime(10)
      expect(seen).toEqual([])
      const error = errorOf(() => chain.push(batchOf(2)))
      expect([error.code, error.context.node]).toEqual(['chain-asynchronous', 'delay'])
    } finally {
      vi.useRealTimers()
    }
  })

  it('that was dropped does not reach the chain that was built anew, nor keep timers', () => {
    vi.useFakeTimers()
    try {
      const { chain, seen } = chainOf(piped('delay', delay(5)))
      chain.push(batchOf(1))
      chain.reset()
      expect(vi.getTimerCount()).toBe(0)
      chain.push(batchOf(2))
      chain.close()
      expect(vi.getTimerCount()).toBe(0)
      expect(seen).toEqual([])
    } finally {
      vi.useRealTimers()
    }
  })

  it('a processor that forwards later is refused where it forwards', () => {
    let context: ProcessorContext | undefined
    const supply = node('late', task =>
      processEvents(
        'late',
        () => ({
          init: own => {
            context = own
          },
          process: () => undefined,
        }),
        task,
      ),
    )
    const { chain } = chainOf(supply)
    chain.push(batchOf(1))
    expect(errorOf(() => context!.forward(eventOf())).context.node).toBe('late')
  })
})

describe('the life of nodes', () => {
  it('they are made anew after every completion and reset, and closed each time', () => {
    const life: string[] = []
    let made = 0
    const counted = node('counted', () => {
      made += 1
      const number = made
      life.push(`made ${number}`)
      return { operator: map(batch => batch), close: () => void life.push(`closed ${number}`) }
    })
    const { chain } = chainOf(counted)
    chain.push(batchOf(1))
    chain.complete()
    chain.reset()
    chain.close()
    expect(life).toEqual(['made 1', 'closed 1', 'made 2', 'closed 2', 'made 3', 'closed 3'])
  })
})

describe('a truncate', () => {
  const truncate = eventOf({ op: 't', key: null, after: null })

  it('goes around the operators, and through the nodes that have a word in it, in order', () => {
    const renamed = node('rename', () => ({
      operator: map(batch => batch),
      truncate: event => ({ ...event, table: `${event.table}.x` }),
    }))
    const { chain, seen } = chainOf(
      piped(
        'drop',
        filter(() => false),
      ),
      renamed,
      renamed,
    )
    expect(chain.truncate(truncate)).toMatchObject({ op: 't', table: 'demo.user.x.x' })
    expect(seen).toEqual([])
  })

  it('ends where a node ends it', () => {
    const asked: string[] = []
    const ending = node('end', () => ({ operator: map(batch => batch), truncate: () => null }))
    const after = node('after', () => ({
      operator: map(batch => batch),
      truncate: event => {
        asked.push(event.table)
        return event
      },
    }))
    expect(chainOf(ending, after).chain.truncate(truncate)).toBeNull()
    expect(asked).toEqual([])
  })
})
