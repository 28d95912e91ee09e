/**
 * The cost of the main job: recorded events to an ORC table on disk, through the local log, in CPU
 * seconds. The events are those of the crash recording: 114,447 records, 100,000 rows.
 *
 *     node bench/main-job.ts [runs]
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')
const runs = Number(process.argv[2] ?? 5)
const types = {
  id: 'bigint',
  user_id: 'int',
  product_id: 'int',
  order_num: 'int',
  amount: 'decimal(10,2)',
  note: 'string',
  create_time: 'timestamp',
}
const config = {
  applicationId: 'bench',
  source: {
    type: 'file',
    path: join(root, 'test/fixtures/crash/crash2.perf.t100k.full_topic.jsonl.gz'),
    format: 'debezium-json',
  },
  tables: [{ from: 'perf.*', to: 'ods.{table}', columns: { types } }],
  warehouse: { type: 'embedded', path: 'warehouse' },
  repartition: { partitions: 4 },
}

const seconds: number[] = []
for (let run = 0; run < runs; run += 1) {
  const folder = mkdtempSync(join(tmpdir(), 'forager-bench-'))
  writeFileSync(join(folder, 'forager.yaml'), JSON.stringify(config))
  const cpu = childCpuSeconds()
  execFileSync(process.execPath, [join(root, 'cli/forager.js'), 'run', '--quiet', 'forager.yaml'], {
    cwd: folder,
  })
  seconds.push(childCpuSeconds() - cpu)
  rmSync(folder, { recursive: true })
}
seconds.sort((a, b) => a - b)
const shown = [seconds[0]!, seconds[Math.floor(seconds.length / 2)]!, seconds.at(-1)!]
console.log(
  `CPU seconds, min/median/max of ${runs}: ${shown.map(one => one.toFixed(2)).join(' / ')}`,
)

/** User and system time of all finished children of this process, as the system counts it. */
function childCpuSeconds(): number {
  const times = execFileSync('sh', ['-c', `cat /proc/${process.pid}/stat`], { encoding: 'utf8' })
  const fields = times.slice(times.lastIndexOf(')') + 2).split(' ')
  const ticksPerSecond = 100
  return (Number(fields[13]) + Number(fields[14])) / ticksPerSecond
}
