/** 00 — The sample of the README, as it stands there: `events.jsonl.gz` is that of `examples/shop`. */
import {
  debeziumJson,
  EmbeddedLog,
  embedded,
  FileStorage,
  inMemory,
  nodeFileSystem,
  openRecordedSource,
  Streams,
  StreamsBuilder,
} from 'forager'

const builder = new StreamsBuilder()
builder
  .stream('m2.demo.user', { name: 'users-in', format: debeziumJson() })
  .filter(event => event.key?.id !== 3, { name: 'without-user-3' })
  .repartition({ name: 'users-by-key', partitions: 8 })
  .compact({ name: 'users-window', flush: { maxAgeMs: 60_000 }, store: inMemory() })
  .to(embedded({ path: './warehouse', table: 'ods.user' }), { name: 'users' })

const topology = builder.build() // TopologyError: every problem, by name
process.stdout.write(`${topology.describe().toString()}\n`) // Kafka's own form: its viewers draw it

const log = await EmbeddedLog.open({
  storage: new FileStorage(nodeFileSystem, './state/log'),
  sources: [await openRecordedSource({ path: 'events.jsonl.gz' })],
})
const streams = new Streams(topology, { applicationId: 'users', log, stateDir: './state' })
await streams.run(undefined, { until: 'end' }) // or run(signal), until the signal aborts
await log.close()
