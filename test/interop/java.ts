/**
 * Java's side of the interop tests: fetches the tools of ORC once, compiles the classes of `java/`
 * against them, and runs a list of commands in one virtual machine. `bench/orc.ts` takes the tools
 * from here, too.
 */
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

const root = new URL('../..', import.meta.url).pathname
const cache = join(root, '.cache', 'interop')
const sources = join(root, 'test', 'interop', 'java')

export const orcVersion = '2.1.2'

/** The time zone of the virtual machine: one in which mistakes show. */
const timeZone = 'America/New_York'

/** A command of `OrcInterop.java` with its fields. */
export type Command = readonly [name: string, input: string, output: string]

export async function runJava(commands: readonly Command[], folder: string): Promise<void> {
  const classPath = await compileJava(sources, 'classes')
  const plan = join(folder, 'plan.tsv')
  await writeFile(plan, `${commands.map(fields => fields.join('\t')).join('\n')}\n`)
  const options = [`-Duser.timezone=${timeZone}`, '-Dorg.slf4j.simpleLogger.defaultLogLevel=error']
  await run('java', [...options, '-cp', classPath, 'OrcInterop', plan], {
    maxBuffer: 64 * 1024 * 1024,
  })
}

/** Compiles the classes of a folder against the tools; resolves to the class path of both. */
export async function compileJava(
  folder: string,
  name: string,
  version: string = orcVersion,
): Promise<string> {
  const tools = await fetchTools(version)
  const classes = join(cache, `${name}-${version}`)
  const files = (await readdir(folder)).map(file => join(folder, file))
  await mkdir(classes, { recursive: true })
  await run('javac', ['-d', classes, '-cp', tools, ...files])
  return `${classes}:${tools}`
}

/** The path of the tools of a version, which are fetched once. */
export async function fetchTools(version: string): Promise<string> {
  const jar = join(cache, `orc-tools-${version}-uber.jar`)
  if (!existsSync(jar)) {
    await mkdir(cache, { recursive: true })
    const artifact = `-Dartifact=org.apache.orc:orc-tools:${version}:jar:uber`
    await run('mvn', ['-q', 'dependency:copy', artifact, `-DoutputDirectory=${cache}`])
  }
  return jar
}

/** The lines of an output; throws when Java met an error. */
export async function linesOf(path: string): Promise<string[]> {
  const text = await readFile(path, 'utf8')
  if (text.startsWith('error')) throw new Error(text)
  return text.split('\n').slice(0, -1)
}
