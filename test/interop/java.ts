/**
 * Java's side of the interop tests: fetches the tools of two versions of ORC once, compiles the
 * classes of `java/` against them, and runs a list of commands in one virtual machine.
 * `bench/orc.ts` takes the tools from here, too.
 */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { OrcCompression } from '../../orc/index.ts'

const run = promisify(execFile)

const root = new URL('../..', import.meta.url).pathname
const cache = join(root, '.cache', 'interop')
const sources = join(root, 'test', 'interop', 'java')

/** 1.9 is the last line for Java 8, as in Spark 3.5; 2.1.2 is what Hive 4.1 has. */
export const orcVersions = ['1.9.9', '2.1.2'] as const
export type OrcVersion = (typeof orcVersions)[number]

/** The later one, for what needs only one. */
export const orcVersion = '2.1.2' satisfies OrcVersion

/** ORC before 2.0 does not have brotli. */
export function hasCodec(version: OrcVersion, codec: OrcCompression): boolean {
  return codec !== 'brotli' || !version.startsWith('1.')
}

/** Brotli's library for this machine, which the tools of 2.1 have for another one only. */
const brotliLibrary = `com.aayushatharva.brotli4j:native-linux-${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}:1.18.0`

const artifacts: Readonly<Record<OrcVersion, readonly string[]>> = {
  '1.9.9': ['org.apache.orc:orc-tools:1.9.9:jar:uber'],
  '2.1.2': ['org.apache.orc:orc-tools:2.1.2:jar:uber', brotliLibrary],
}

/** The time zone of the virtual machine: one in which mistakes show. */
const timeZone = 'America/New_York'

/** A command of `OrcInterop.java` with its fields; the last one is where its output goes. */
export type Command = readonly [name: string, ...inputs: string[], output: string]

/** Runs commands by one version of ORC. Each call for a folder and a version replaces the last. */
export async function runJava(
  commands: readonly Command[],
  folder: string,
  version: OrcVersion,
  zone = timeZone,
): Promise<void> {
  const classPath = await prepareJava(version)
  const plan = join(folder, `plan-${version}.tsv`)
  await writeFile(plan, `${commands.map(fields => fields.join('\t')).join('\n')}\n`)
  const options = [`-Duser.timezone=${zone}`, '-Dorg.slf4j.simpleLogger.defaultLogLevel=error']
  await run('java', [...options, '-cp', classPath, 'OrcInterop', plan], {
    maxBuffer: 64 * 1024 * 1024,
  })
}

/** Fetches and compiles what is not there yet; resolves to the class path. */
export function prepareJava(version: OrcVersion): Promise<string> {
  return compileJava(sources, 'classes', version)
}

/**
 * Compiles the classes of a folder against the tools; resolves to the class path of both. They have
 * a place for each version of their sources, so that nobody meets half of them.
 */
export async function compileJava(
  folder: string,
  name: string,
  version: OrcVersion = orcVersion,
): Promise<string> {
  const jars: string[] = []
  for (const artifact of artifacts[version]) jars.push(await fetchJar(artifact))
  const files = (await readdir(folder)).sort().map(file => join(folder, file))
  const hash = createHash('sha256')
  for (const file of files) hash.update(file).update(await readFile(file))
  const target = `${name}-${version}-${hash.digest('hex').slice(0, 12)}`
  const compiled = await makeOnce(target, async aside => {
    const classes = join(aside, 'classes')
    await run('javac', ['-d', classes, '-cp', jars.join(':'), ...files])
    return classes
  })
  return [compiled, ...jars].join(':')
}

async function fetchJar(artifact: string): Promise<string> {
  const [, name, version, , classifier] = artifact.split(':')
  const file = `${[name, version, ...(classifier === undefined ? [] : [classifier])].join('-')}.jar`
  const options = ['-q', 'dependency:copy', `-Dartifact=${artifact}`]
  return makeOnce(file, async aside => {
    await run('mvn', [...options, `-DoutputDirectory=${aside}`])
    return join(aside, file)
  })
}

/** Makes something aside and moves it into the cache: another process may do the same. */
async function makeOnce(name: string, make: (folder: string) => Promise<string>): Promise<string> {
  const target = join(cache, name)
  if (existsSync(target)) return target
  await mkdir(cache, { recursive: true })
  const aside = await mkdtemp(join(cache, 'making-'))
  try {
    await rename(await make(aside), target)
  } catch (error) {
    if (!existsSync(target)) throw error
  } finally {
    await rm(aside, { recursive: true })
  }
  return target
}

/** The lines of an output; throws when Java met an error. */
export async function linesOf(path: string): Promise<string[]> {
  const text = await readFile(path, 'utf8')
  if (text.startsWith('error')) throw new Error(text)
  return text.split('\n').slice(0, -1)
}
