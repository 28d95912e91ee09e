/**
 * Runs the steps of a Dockerfile without a container engine: each stage is a folder, and paths of the image lie in
 * it. What it cannot do as an engine does, it refuses. Owners are not set, and the base image is the Node that
 * runs this.
 */
import { execFile } from 'node:child_process'
import { cp, mkdir, readdir, readFile, stat } from 'node:fs/promises'
import { dirname, join, posix } from 'node:path'
import { promisify } from 'node:util'
import { DockerfileParser, type Flag, type Instruction, type JSONInstruction } from 'dockerfile-ast'

const run = promisify(execFile)

export interface Image {
  /** Folder that stands for the root of its file system. */
  readonly root: string
  readonly env: NodeJS.ProcessEnv
  readonly entrypoint: readonly string[]
  readonly healthcheck: readonly string[]
  readonly volumes: readonly string[]
  readonly user: string
  readonly stopSignal: string
}

interface Stage {
  readonly name: string
  readonly root: string
  /** Paths of the image. */
  folder: string
  env: Record<string, string>
  entrypoint: readonly string[]
  healthcheck: readonly string[]
  volumes: string[]
  user: string
  stopSignal: string
}

/** The image's words, with its keyword in capitals. */
export interface Step {
  readonly keyword: string
  readonly text: string
  readonly flags: Readonly<Record<string, string>>
  /** Of the form `["a", "b"]`; null in the other one. */
  readonly json: readonly string[] | null
}

const known = 'FROM WORKDIR COPY RUN ENV VOLUME USER EXPOSE STOPSIGNAL HEALTHCHECK ENTRYPOINT CMD'
const knownFlags: Readonly<Record<string, readonly string[]>> = {
  COPY: ['from', 'chown'],
  HEALTHCHECK: ['interval', 'timeout', 'start-period', 'retries'],
}

/** Throws for what is not understood. */
export function stepsOf(text: string): readonly Step[] {
  return DockerfileParser.parse(text)
    .getInstructions()
    .map(instruction => {
      const keyword = instruction.getKeyword()
      if (!known.split(' ').includes(keyword)) throw new Error(`${keyword} is not understood`)
      const flags = Object.fromEntries(
        flagsOf(instruction).map(flag => [flag.getName(), flag.getValue() ?? '']),
      )
      const unknown = Object.keys(flags).find(flag => knownFlags[keyword]?.includes(flag) !== true)
      if (unknown !== undefined) throw new Error(`${keyword} --${unknown} is not understood`)
      const content = (instruction.getArgumentsContent() ?? '').replaceAll(/\s+/g, ' ').trim()
      const words = content.replace(keyword === 'HEALTHCHECK' ? /^CMD / : /^/, '')
      const json = words.startsWith('[') ? (JSON.parse(words) as string[]) : null
      return { keyword, text: content, flags, json }
    })
}

function flagsOf(instruction: Instruction): readonly Flag[] {
  return 'getFlags' in instruction ? (instruction as JSONInstruction).getFlags() : []
}

/** `context`: the project's folder. Stages lie in `folder`, which must be empty. */
export async function buildImage(context: string, folder: string): Promise<Image> {
  const stages: Stage[] = []
  for (const step of stepsOf(await readFile(join(context, 'Dockerfile'), 'utf8'))) {
    if (step.keyword === 'FROM') {
      stages.push(await openStage(step, join(folder, String(stages.length))))
      continue
    }
    const stage = stages.at(-1)
    if (stage === undefined) throw new Error(`${step.keyword} before FROM`)
    await take(step, stage, { stages, context })
  }
  const { root, env, entrypoint, healthcheck, volumes, user, stopSignal } = stages.at(-1)!
  return { root, env: withPath(env), entrypoint, healthcheck, volumes, user, stopSignal }
}

async function openStage({ text }: Step, root: string): Promise<Stage> {
  const [, version, name = ''] = /^node:(\S+?)-bookworm-slim(?: AS (\S+))?$/.exec(text) ?? []
  if (version !== process.versions.node) {
    throw new Error(`FROM ${text}: this runs on Node ${process.versions.node}`)
  }
  await mkdir(root, { recursive: true })
  const own = { entrypoint: [], healthcheck: [], volumes: [], user: 'root', stopSignal: 'SIGTERM' }
  return { name, root, folder: '/', env: {}, ...own }
}

interface Around {
  readonly stages: readonly Stage[]
  readonly context: string
}

async function take(step: Step, stage: Stage, around: Around): Promise<void> {
  const { keyword, text, json } = step
  switch (keyword) {
    case 'WORKDIR':
      stage.folder = posix.resolve(stage.folder, text)
      await mkdir(inStage(stage, stage.folder), { recursive: true })
      return
    case 'COPY':
      return await copy(step, stage, around)
    case 'RUN':
      await run('sh', ['-ec', mapped(text, stage)], {
        cwd: inStage(stage, stage.folder),
        env: {
          ...process.env,
          NODE_ENV: undefined,
          NODE_OPTIONS: undefined,
          ...withPath(stage.env),
        },
        maxBuffer: 64 * 1024 * 1024,
      })
      return
    case 'ENV':
      for (const pair of text.split(' ')) {
        const [name = '', ...rest] = pair.split('=')
        stage.env[name] = mapped(rest.join('='), stage)
      }
      return
    case 'VOLUME':
      stage.volumes.push(text)
      await mkdir(inStage(stage, text), { recursive: true })
      return
    case 'USER':
      stage.user = text
      return
    case 'STOPSIGNAL':
      stage.stopSignal = text
      return
    case 'HEALTHCHECK':
    case 'ENTRYPOINT':
      if (json === null) throw new Error(`${keyword} in the form of a shell`)
      stage[keyword === 'ENTRYPOINT' ? 'entrypoint' : 'healthcheck'] = json
  }
}

function inStage({ root }: Stage, path: string): string {
  return join(root, path)
}

/** Paths of the image become those of its folder. */
function mapped(text: string, { root }: Stage): string {
  return text.replaceAll(/(^|[\s="':])(?=\/[a-z])/g, (found: string) => `${found}${root}`)
}

/** Node is part of the base image. */
function withPath(env: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  const base = `${dirname(process.execPath)}:${process.env.PATH ?? ''}`
  return { ...env, PATH: env.PATH?.replace('$PATH', base) ?? base }
}

async function copy({ text, flags }: Step, stage: Stage, around: Around): Promise<void> {
  const words = text.split(' ')
  const target = words.pop()!
  const source = flags.from === undefined ? null : stageNamed(flags.from, around)
  const to = inStage(stage, posix.resolve(stage.folder, target))
  for (const word of words) {
    if (source === null) await copyContext(word, to, { ...around, isFolder: target.endsWith('/') })
    // A folder's content, not the folder.
    else await cp(inStage(source, word), to, { recursive: true, verbatimSymlinks: true })
  }
}

function stageNamed(name: string, { stages }: Around): Stage {
  const found = stages.find(stage => stage.name === name)
  if (found === undefined) throw new Error(`there is no stage ${name}`)
  return found
}

async function copyContext(
  word: string,
  to: string,
  { context, isFolder }: Around & { readonly isFolder: boolean },
): Promise<void> {
  const ignored = ignoredNames(await readFile(join(context, '.dockerignore'), 'utf8'))
  if (word !== '.') {
    if (ignored.includes(word)) throw new Error(`${word} is left out by .dockerignore`)
    if (!(await stat(join(context, word))).isFile()) throw new Error(`${word} is no file`)
    await cp(join(context, word), isFolder ? join(to, word) : to)
    return
  }
  for (const name of await readdir(context)) {
    if (ignored.includes(name)) continue
    await cp(join(context, name), join(to, name), { recursive: true, verbatimSymlinks: true })
  }
}

/** Names in the project's folder; nothing else is understood. */
export function ignoredNames(text: string): readonly string[] {
  const names = text.split('\n').filter(line => line !== '')
  const odd = names.find(name => !/^[\w.-]+$/.test(name))
  if (odd !== undefined) throw new Error(`.dockerignore: ${odd} is not understood`)
  return names
}
