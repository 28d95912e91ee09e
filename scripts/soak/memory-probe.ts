/**
 * Loaded by `--import` into each process of a soak, and into each of its threads: tells again and again in a file what
 * V8 and Node say of their memory. `SOAK_MEMORY` is the folder of the files.
 */
import { renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { getHeapSpaceStatistics, getHeapStatistics } from 'node:v8'
import { threadId } from 'node:worker_threads'

/** Of one thread: each has a heap of V8 of its own. Spaces in the order that V8 has them. */
export interface ThreadMemory {
  readonly arrayBuffersBytes: number
  readonly externalBytes: number
  /** Pages of the heap that were touched. */
  readonly physicalBytes: number
  /** What V8 has beside the heap, for its compilers. */
  readonly mallocedBytes: number
  readonly spaces: Readonly<Record<string, SpaceMemory>>
}

export interface SpaceMemory {
  readonly sizeBytes: number
  readonly usedBytes: number
  readonly availableBytes: number
}

const everyMs = 2500

function threadMemory(): ThreadMemory {
  const { arrayBuffers, external } = process.memoryUsage()
  const { total_physical_size: physicalBytes, malloced_memory: mallocedBytes } = getHeapStatistics()
  const spaces = getHeapSpaceStatistics().map(space => {
    const memory: SpaceMemory = {
      sizeBytes: space.space_size,
      usedBytes: space.space_used_size,
      availableBytes: space.space_available_size,
    }
    return [space.space_name, memory] as const
  })
  return {
    arrayBuffersBytes: arrayBuffers,
    externalBytes: external,
    physicalBytes,
    mallocedBytes,
    spaces: Object.fromEntries(spaces),
  }
}

const folder = process.env.SOAK_MEMORY
if (folder !== undefined) {
  const path = join(folder, `${process.pid}-${threadId}.json`)
  const tell = (): void => {
    // Whole or not at all: it is read meanwhile.
    writeFileSync(`${path}.new`, JSON.stringify(threadMemory()))
    renameSync(`${path}.new`, path)
  }
  setInterval(tell, everyMs).unref()
}
