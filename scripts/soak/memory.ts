/**
 * Where the memory of a process lies: what the kernel says of its mappings, summed by who made them, and what V8 says of
 * the heap of each thread (`memory-probe.ts`).
 */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ThreadMemory } from './memory-probe.ts'

/** Anonymous memory that is resident, in bytes. */
export interface MappedMemory {
  /** The C library's first heap, which grows at its end and shrinks from there alone. */
  readonly heapBytes: number
  /** Its heaps for threads, of at most 64 MB each. */
  readonly arenaBytes: number
  readonly stackBytes: number
  /** Pages of files that were written to: data of libraries. */
  readonly fileBytes: number
  /** V8's pages, and what was too large for the C library's heaps. */
  readonly otherBytes: number
}

export interface MemoryParts extends MappedMemory {
  /** Of `otherBytes` what is no page of a heap of V8; null where V8 did not say. */
  readonly notOfV8Bytes: number | null
  /** The sum over its threads. */
  readonly v8: ThreadMemory | null
  readonly threads: number
}

export async function memoryPartsOf(pid: number, folder: string): Promise<MemoryParts> {
  const mapped = mappedMemory(await readFile(`/proc/${pid}/smaps`, 'utf8'))
  const threads = await threadsOf(pid, folder)
  const v8 = sumOf(threads)
  const notOfV8Bytes = v8 && mapped.otherBytes - v8.physicalBytes
  return { ...mapped, notOfV8Bytes, v8, threads: threads.length }
}

interface Mapping {
  readonly from: number
  readonly until: number
  readonly isClosed: boolean
  readonly name: string
  readonly anonymousBytes: number
}

const arenaBytes = 64 * 1024 * 1024
const pageBytes = 4096

/** From the text of `/proc/…/smaps`. */
export function mappedMemory(smaps: string): MappedMemory {
  const sums = { heapBytes: 0, arenaBytes: 0, stackBytes: 0, fileBytes: 0, otherBytes: 0 }
  const mappings = mappingsOf(smaps)
  for (const [index, mapping] of mappings.entries()) {
    sums[kindOf(mapping, mappings[index - 1], mappings[index + 1])] += mapping.anonymousBytes
  }
  return sums
}

function kindOf(
  mapping: Mapping,
  before: Mapping | undefined,
  behind: Mapping | undefined,
): keyof MappedMemory {
  const { name, from, until } = mapping
  if (name === '[heap]') return 'heapBytes'
  if (name.startsWith('[stack')) return 'stackBytes'
  if (name !== '') return 'fileBytes'
  if (isClosed(behind, until) && behind!.until % arenaBytes === 0) {
    if (behind!.until - arenaBytes >= from) return 'arenaBytes'
  }
  // A thread's stack lies above one page that nobody may touch.
  const isGuarded = before?.until === from && isClosed(before, before.from)
  return isGuarded && before.until - before.from === pageBytes ? 'stackBytes' : 'otherBytes'
}

function isClosed(mapping: Mapping | undefined, from: number): boolean {
  return mapping?.from === from && mapping.isClosed && mapping.name === ''
}

function mappingsOf(smaps: string): readonly Mapping[] {
  return smaps.split(/^(?=[0-9a-f]+-[0-9a-f]+ )/m).flatMap(text => {
    const head = /^([0-9a-f]+)-([0-9a-f]+) (\S+) \S+ \S+ \S+ *(.*)$/m.exec(text)
    if (head === null) return []
    const kilobytes = /^Anonymous: +(\d+) kB$/m.exec(text)?.[1] ?? '0'
    const mapping = {
      from: Number.parseInt(head[1]!, 16),
      until: Number.parseInt(head[2]!, 16),
      isClosed: head[3]!.startsWith('---'),
      name: head[4]!,
      anonymousBytes: Number(kilobytes) * 1024,
    }
    return [mapping]
  })
}

async function threadsOf(pid: number, folder: string): Promise<readonly ThreadMemory[]> {
  const names = await readdir(folder)
  const own = names.filter(name => name.startsWith(`${pid}-`) && name.endsWith('.json'))
  return await Promise.all(
    own.map(async name => {
      return JSON.parse(await readFile(join(folder, name), 'utf8')) as ThreadMemory
    }),
  )
}

function sumOf(threads: readonly ThreadMemory[]): ThreadMemory | null {
  const sum = (of: (thread: ThreadMemory) => number): number => {
    return threads.reduce((all, thread) => all + of(thread), 0)
  }
  const [first] = threads
  if (first === undefined) return null
  const names = Object.keys(first.spaces)
  return {
    arrayBuffersBytes: sum(({ arrayBuffersBytes }) => arrayBuffersBytes),
    externalBytes: sum(({ externalBytes }) => externalBytes),
    physicalBytes: sum(({ physicalBytes }) => physicalBytes),
    mallocedBytes: sum(({ mallocedBytes }) => mallocedBytes),
    spaces: Object.fromEntries(
      names.map(name => {
        const space = (key: keyof ThreadMemory['spaces'][string]): number => {
          return sum(({ spaces }) => spaces[name]?.[key] ?? 0)
        }
        const [sizeBytes, usedBytes] = [space('sizeBytes'), space('usedBytes')]
        return [name, { sizeBytes, usedBytes, availableBytes: space('availableBytes') }]
      }),
    ),
  }
}
