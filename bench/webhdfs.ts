/**
 * The cost of writing and reading a file over WebHDFS, and of many small ones: MB/s, CPU seconds of this
 * process, and the most memory that it had.
 *
 *     node bench/webhdfs.ts http://127.0.0.1:9870 [MiB]
 */
import { systemClock } from '../runtime/clock.ts'
import { systemRandom } from '../runtime/random.ts'
import { WebHdfsStagingFiles } from '../sinks/webhdfs/webhdfs-staging-files.ts'

const [url = 'http://127.0.0.1:9870', sizeText = '256'] = process.argv.slice(2)
const pieceBytes = 1024 * 1024
const pieceCount = Number(sizeText)
const smallCount = 100
const repeats = 3

const files = new WebHdfsStagingFiles({
  urls: [url],
  user: 'forager',
  location: 'hdfs://bench',
  clock: systemClock,
  random: systemRandom,
})
const folder = `/forager-bench-${systemRandom.id()}`
const piece = Buffer.alloc(pieceBytes)
for (let at = 0; at < pieceBytes; at += 4) piece.writeUInt32LE((at * 2_654_435_761) >>> 0, at)

async function measure(what: string, bytes: number, action: () => Promise<void>): Promise<void> {
  const cpu = process.cpuUsage()
  const began = performance.now()
  await action()
  const seconds = (performance.now() - began) / 1000
  const { user, system } = process.cpuUsage(cpu)
  const rate = (bytes / 1e6 / seconds).toFixed(0).padStart(5)
  const cpuSeconds = ((user + system) / 1e6).toFixed(2)
  const residentMiB = Math.round(process.memoryUsage.rss() / 1024 ** 2)
  console.log(
    `${what.padEnd(22)} ${rate} MB/s  ${seconds.toFixed(2)} s  ${cpuSeconds} s CPU  ${residentMiB} MiB`,
  )
}

async function writeFile(path: string, pieces: readonly Buffer[]): Promise<void> {
  const file = await files.create(path)
  for (const one of pieces) await file.write(one)
  await file.close()
}

async function readFile(path: string, rangeBytes: number): Promise<void> {
  const file = await files.open(path)
  for (let at = 0; at < file.sizeBytes; at += rangeBytes) await file.read(at, rangeBytes)
  await file.close()
}

await files.makeDirectory(folder)
try {
  const bytes = pieceCount * pieceBytes
  const large = Array.from({ length: pieceCount }, () => piece)
  const small = [piece.subarray(0, 20_000)]
  for (let round = 0; round < repeats; round += 1) {
    await measure(`write ${sizeText} MiB`, bytes, () => writeFile(`${folder}/large`, large))
    await measure('read it by 1 MiB', bytes, () => readFile(`${folder}/large`, pieceBytes))
    await measure('read it by 8 MiB', bytes, () => readFile(`${folder}/large`, 8 * pieceBytes))
    await measure(`write ${smallCount} of 20 kB`, smallCount * 20_000, async () => {
      for (let number = 0; number < smallCount; number += 1) {
        await writeFile(`${folder}/${round}-${number}`, small)
      }
    })
    await measure(`read ${smallCount} of 20 kB`, smallCount * 20_000, async () => {
      for (let number = 0; number < smallCount; number += 1) {
        await readFile(`${folder}/${round}-${number}`, pieceBytes)
      }
    })
  }
} finally {
  await files.remove(folder)
}
