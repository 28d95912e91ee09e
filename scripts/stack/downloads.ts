/**
 * Fetches what the parts are made of, by Maven and from its central repository. A folder is there as a
 * whole or not at all, and is fetched anew when its list of coordinates changes.
 */
import { execFile, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'

const run = promisify(execFile)
const sayEveryMs = 5000

export interface Download {
  /** In words, with versions. */
  readonly title: string
  /** Beneath the home of the stack. */
  readonly folder: string
  /** Its dependencies are what is fetched. */
  readonly pom: string
  readonly files: number
  readonly megabytes: number
  /** For archives: the names, with wildcards, of what is taken out of them. */
  readonly unpack?: string
}

interface Progress {
  /** Maven reads descriptions of hundreds of packages before it fetches the first file. */
  descriptions: number
  files: number
  bytes: number
}

export function folderOf({ folder }: Download, home: string): string {
  return join(home, folder)
}

/** Fetches what is not there, and says how far it is. */
export async function fetchAll(
  downloads: readonly Download[],
  home: string,
  say: (line: string) => void,
): Promise<void> {
  const missing: Download[] = []
  for (const download of new Set(downloads)) {
    if (!(await isFetched(download, home))) missing.push(download)
  }
  for (const [index, download] of missing.entries()) {
    const count = `${index + 1} of ${missing.length}`
    const beganMs = performance.now()
    say(`download ${count}: ${download.title} (${amount(download)})`)
    await fetchOne(download, home, progress => {
      say(`download ${count}: ${soFar(progress, download)}`)
    })
    const size = await sizeOf(folderOf(download, home))
    say(`download ${count}: done, ${size}, ${seconds(performance.now() - beganMs)}`)
  }
}

async function isFetched(download: Download, home: string): Promise<boolean> {
  const marker = markerOf(folderOf(download, home))
  return existsSync(marker) && (await readFile(marker, 'utf8')) === (await fingerprint(download))
}

async function fingerprint({ pom, unpack }: Download): Promise<string> {
  const text = await readFile(pom, 'utf8')
  return createHash('sha256')
    .update(text)
    .update(unpack ?? '')
    .digest('hex')
}

function markerOf(folder: string): string {
  return join(folder, '.fetched')
}

/** Beside its place first: two that fetch at once do not see each other's halves. */
async function fetchOne(
  download: Download,
  home: string,
  report: (progress: Progress) => void,
): Promise<void> {
  const folder = folderOf(download, home)
  const fresh = `${folder}.${process.pid}`
  await rm(fresh, { recursive: true, force: true })
  await mkdir(fresh, { recursive: true })
  try {
    await copyDependencies(download.pom, fresh, report)
    if (download.unpack !== undefined) await unpackAll(fresh, download.unpack)
    await writeFile(markerOf(fresh), await fingerprint(download))
    if (await isFetched(download, home)) return
    await rm(folder, { recursive: true, force: true })
    await mkdir(dirname(folder), { recursive: true })
    await rename(fresh, folder)
  } finally {
    await rm(fresh, { recursive: true, force: true })
  }
}

async function copyDependencies(
  pom: string,
  folder: string,
  report: (progress: Progress) => void,
): Promise<void> {
  const goal = ['dependency:copy-dependencies', '-DincludeScope=runtime']
  const retries = '-Dmaven.wagon.http.retryHandler.count=3'
  const args = ['--batch-mode', retries, '-f', pom, ...goal, `-DoutputDirectory=${folder}`]
  const child = spawn('mvn', args, { stdio: ['ignore', 'pipe', 'pipe'] })
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject).once('close', resolve)
  })
  const progress: Progress = { descriptions: 0, files: 0, bytes: 0 }
  const timer = setInterval(() => report(progress), sayEveryMs)
  const lines: string[] = []
  child.stderr.on('data', (chunk: Buffer) => lines.push(chunk.toString()))
  createInterface({ input: child.stdout }).on('line', line => {
    if (/WARN|ERROR/.test(line)) lines.push(line)
    count(line, progress)
  })
  try {
    const code = await ended
    if (code !== 0) throw new Error(`mvn ended with ${code}:\n${lines.slice(-15).join('\n')}`)
  } finally {
    clearInterval(timer)
  }
}

/** Maven says `Downloaded from central: https://…/a.jar (1.2 MB at 3.4 MB/s)`. */
function count(line: string, progress: Progress): void {
  if (/Downloaded from .*\.pom \(/.test(line)) progress.descriptions += 1
  const found = /Downloaded from .*\.(?:jar|tar\.gz) \(([\d.]+) (B|kB|MB)/.exec(line)
  if (found === null) return
  progress.files += 1
  progress.bytes += Number(found[1]) * { B: 1, kB: 1e3, MB: 1e6 }[found[2] as 'B' | 'kB' | 'MB']
}

/** By `tar`: Maven's own unpacking stumbles over long names. */
async function unpackAll(folder: string, wanted: string): Promise<void> {
  const archives = (await readdir(folder)).filter(name => name.endsWith('.tar.gz'))
  for (const archive of archives) {
    await run('tar', ['-xzf', archive, '--wildcards', wanted], { cwd: folder })
    await rm(join(folder, archive))
  }
}

/** Sorted: the order of jars decides which of two classes is taken. */
export async function classPathOf(download: Download, home: string): Promise<string> {
  const libs = folderOf(download, home)
  const jars = (await readdir(libs)).filter(name => name.endsWith('.jar'))
  return jars
    .sort()
    .map(name => join(libs, name))
    .join(':')
}

function amount({ files, megabytes }: Pick<Download, 'files' | 'megabytes'>): string {
  return `${files} file${files === 1 ? '' : 's'}, ${megabytes} MB`
}

/** Maven may fetch a few jars of its own with them: it never says more than there are. */
function soFar({ descriptions, files, bytes }: Progress, all: Download): string {
  if (files === 0) return `${descriptions} descriptions read`
  const megabytes = Math.min(Math.round(bytes / 1e6), all.megabytes)
  return `${Math.min(files, all.files)} of ${all.files} files, ${megabytes} of ${all.megabytes} MB`
}

async function sizeOf(folder: string): Promise<string> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true })
  const files = entries.filter(entry => entry.isFile() && entry.name !== '.fetched')
  const stats = await Promise.all(files.map(({ parentPath, name }) => stat(join(parentPath, name))))
  const bytes = stats.reduce((sum, { size }) => sum + size, 0)
  return amount({ files: files.length, megabytes: Math.round(bytes / 1e6) })
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(0)} s`
}
