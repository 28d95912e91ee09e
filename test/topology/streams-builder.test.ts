import { bufferCount, filter, mergeMap, pipe } from 'rxjs'
import { describe, expect, it } from 'vitest'
import { debeziumJson } from '../../formats/debezium/debezium-json.ts'
import type { ChangeEvent } from '../../model/change-event.ts'
import { TopologyError } from '../../model/errors.ts'
import { TableRouter } from '../../processors/route-tables.ts'
import { Chain } from '../../runtime/chain.ts'
import { embedded } from '../../sinks/embedded/embedded.ts'
import { inMemory } from '../../state/memory-store.ts'
import type { Ordering } from '../../topology/nodes.ts'
import type { ChangeStream, StreamOptions } from '../../topology/streams-builder.ts'
import { StreamsBuilder } from '../../topology/streams-builder.ts'
import { eventOf, nodeContext } from '../processors/samples.ts'

const format = debeziumJson()
const sink = embedded({ path: '/warehouse' })

function finished(builder: StreamsBuilder, options: Partial<StreamOptions> = {}) {
  builder
    .stream('orders', { name: 'orders-in', format, ...options })
    .repartition({ name: 'by-key' })
    .compact({ name: 'window', store: inMemory() })
    .to(sink, { name: 'table' })
  return builder.build()
}

describe('a builder', () => {
  it('makes a path of what was called, under the names that were given', () => {
    const builder = new StreamsBuilder()
    builder
      .stream(['a', 'b'], { name: 'in', format })
      .filter(() => true, { name: 'f' })
      .map(event => event, { name: 'm' })
      .pipe('p', filter(Boolean))
      .process(() => ({ process: () => undefined }), { name: 'x' })
      .route(new TableRouter([]), { name: 'r' })
      .repartition({ name: 'by-key', partitions: 5 })
      .compact({ name: 'window', flush: { maxRows: 7 }, store: inMemory() })
      .to(sink, { name: 'table' })
    const [pipeline] = builder.build().pipelines
    expect(pipeline!.transforms.map(({ name }) => name)).toEqual(['f', 'm', 'p', 'x', 'r'])
    expect(pipeline!.source.topics).toEqual(['a', 'b'])
    expect(pipeline!.repartition.partitions).toBe(5)
    expect(pipeline!.compact.limits).toEqual({
      maxAgeMs: 60_000,
      maxRows: 7,
      maxBytes: 64 * 1024 * 1024,
    })
    expect(pipeline!.warehouse.sink.name).toBe(sink.name)
  })

  it('has defaults that lose nothing: bad messages fail, repeats are dropped', () => {
    const { source, repartition } = finished(new StreamsBuilder()).pipelines[0]!
    expect(source).toMatchObject({ topics: ['orders'], onError: 'fail', dropRepeats: true })
    expect(source.hintsOf('any.table')).toEqual({})
    expect('partitions' in repartition).toBe(false)
    const pattern = finished(new StreamsBuilder(), { onError: 'skip', dropRepeats: false })
    expect(pattern.pipelines[0]!.source).toMatchObject({ onError: 'skip', dropRepeats: false })
  })

  it('leaves out the hop of a source that is keyed by primary key, where nothing needs it', () => {
    const keyed = (change: (stream: ChangeStream) => ChangeStream, ordering: Ordering = 'log') => {
      const builder = new StreamsBuilder()
      const stream = builder.stream('a', { name: 'in', format, keyedBy: 'primary-key', ordering })
      change(stream)
        .repartition({ name: 'by-key' })
        .compact({ name: 'window', store: inMemory() })
        .to(sink, { name: 'table' })
      return builder.build()
    }
    const rule = { from: 'shop*.a', to: 'a' }
    const kept = keyed(stream =>
      stream
        .filter(() => true, { name: 'f' })
        .map(event => event, { name: 'm' })
        .route(new TableRouter([rule]), { name: 'r' }),
    )
    expect(kept.describe('shop').toString()).not.toContain('repartition')
    const merging = new TableRouter([{ ...rule, merge: true }])
    for (const [name, change] of [
      ['p', stream => stream.pipe('p', filter(Boolean))],
      ['x', stream => stream.process(() => ({ process: () => undefined }), { name: 'x' })],
      ['r', stream => stream.route(merging, { name: 'r' })],
    ] as const satisfies [string, (stream: ChangeStream) => ChangeStream][]) {
      expect(() => keyed(change)).toThrow(
        `"in" is keyed by primary key, and "${name}" may change keys or join tables`,
      )
    }
    expect(() => keyed(stream => stream, 'position')).toThrow('leave out one of them')
  })

  it('tells decoder and sink what the rules of a route say, where it is not told otherwise', () => {
    const types = { id: { kind: 'string' } } as const
    const rule = { from: 'demo.user', to: 'u', key: ['id'], columns: { types } } as const
    const build = (partitionBy: string, own: Partial<Parameters<typeof finished>[1]> = {}) => {
      const builder = new StreamsBuilder()
      const router = new TableRouter([{ ...rule, partitionBy }])
      builder
        .stream('orders', { name: 'in', format, ...own })
        .route(router, { name: 'r' })
        .repartition({ name: 'by-key' })
        .compact({ name: 'window', store: inMemory() })
        .to(sink, { name: 'table' })
      const [pipeline] = builder.build().pipelines
      router.targetOf('demo.user')
      const { sink: routed } = pipeline!.warehouse
      return { hints: pipeline!.source.hintsOf, target: routed.targetOf('u') }
    }
    const { hints, target } = build('year_month(created)')
    expect(hints('demo.user')).toEqual({ key: ['id'], types })
    expect(hints('demo.other')).toEqual({})
    const partitionBy = { column: 'created', unit: 'year_month' }
    expect(target).toMatchObject({ table: 'u', partitionBy })
    expect(build('id', { hintsOf: () => null }).hints('demo.user')).toBeNull()
    expect(() => build('a b')).toThrow('"a b" is not a partitioning')
  })

  it('refuses to build what has no end, and builds it when it has one', () => {
    const builder = new StreamsBuilder()
    const stream = builder.stream('orders', { name: 'in', format })
    expect(() => builder.build()).toThrow(TopologyError)
    const keyed = stream.repartition({ name: 'by-key' })
    expect(() => builder.build()).toThrow(/"by-key" leads nowhere/)
    keyed.compact({ name: 'window', store: inMemory() }).to(sink, { name: 'table' })
    expect(builder.build().pipelines).toHaveLength(1)
  })

  it('refuses a stream that is used twice, and two streams of one name', () => {
    const builder = new StreamsBuilder()
    const stream = builder.stream('orders', { name: 'in', format })
    stream.filter(() => true, { name: 'one' })
    stream.filter(() => true, { name: 'two' })
    expect(() => builder.build()).toThrow(/"in" has 2 children/)
    const twice = new StreamsBuilder()
    finished(twice)
    expect(() => finished(twice)).toThrow(/"orders-in" is used twice/)
  })

  it('a topology that was built does not change when the builder goes on', () => {
    const builder = new StreamsBuilder()
    const topology = finished(builder)
    builder.stream('more', { name: 'more', format })
    expect(topology.pipelines).toHaveLength(1)
    expect(() => builder.build()).toThrow(TopologyError)
  })

  it('its nodes do in a chain what they were called for, in their order', () => {
    const builder = new StreamsBuilder()
    const pairs = pipe(
      bufferCount<ChangeEvent>(2),
      mergeMap(pair => pair),
    )
    builder
      .stream('orders', { name: 'in', format })
      .filter(event => event.key!.id !== 2, { name: 'f' })
      .map(event => ({ ...event, op: 'u' }), { name: 'm' })
      .pipe('p', pairs)
      .route(new TableRouter([{ from: 'demo.*', to: 'ods.{table}' }]), { name: 'r' })
      .repartition({ name: 'by-key' })
      .compact({ name: 'window', store: inMemory() })
      .to(sink, { name: 'table' })
    const [{ transforms } = { transforms: [] }] = builder.build().pipelines
    const seen: unknown[] = []
    const chain = new Chain(transforms, nodeContext(), batch => {
      for (const { key, op, table } of batch) seen.push([key!.id, op, table])
    })
    chain.push([1, 2, 3, 4].map(id => eventOf({ id })))
    chain.complete()
    expect(seen).toEqual([1, 3, 4].map(id => [id, 'u', 'ods.user']))
    expect(chain.truncate(eventOf({ op: 't', key: null }))).toMatchObject({ table: 'ods.user' })
  })
})
