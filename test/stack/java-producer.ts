/** Kafka's own producer, for what Forager never writes: compressed batches. */
import { spawn } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'

export type Codec = 'gzip' | 'snappy' | 'lz4' | 'zstd'

/** Resolves when every line is a record of the topic. */
export async function produceCompressed(
  broker: string,
  topic: string,
  codec: Codec,
  lines: readonly string[],
): Promise<void> {
  const libs = resolve('.cache/stack/kafka/libs')
  const jars = readdirSync(libs).filter(name => name.endsWith('.jar'))
  const classPath = jars.map(name => join(libs, name)).join(':')
  const tool = 'org.apache.kafka.tools.ConsoleProducer'
  const args = ['--bootstrap-server', broker, '--topic', topic, '--compression-codec', codec]
  const child = spawn('java', ['-Xmx128m', '-cp', classPath, tool, ...args], {
    stdio: ['pipe', 'ignore', 'pipe'],
  })
  let said = ''
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString()
  })
  child.stdin.end(`${lines.join('\n')}\n`)
  const code = await new Promise<number | null>(done => child.on('close', done))
  if (code !== 0) throw new Error(`the producer ended with ${code}: ${said}`)
}
