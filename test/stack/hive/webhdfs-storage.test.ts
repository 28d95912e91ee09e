/** What WebHDFS costs in memory, and what it leaves on disks. */
import { describe, expect, it } from 'vitest'
import {
  dataNodeOrigin,
  direct,
  freshFolder,
  location,
  pieces,
  write,
} from './hdfs-under-faults.ts'

const mebibyte = 1024 * 1024

interface Counts {
  readonly FsyncCount: number
  readonly BlocksWritten: number
}

/** A DataNode counts anew every ten seconds: this waits until it counted so many blocks. */
async function countsWith(least: number): Promise<Counts> {
  const query = 'Hadoop:service=DataNode,name=DataNodeActivity*'
  const jmx = `${await dataNodeOrigin()}/jmx?qry=${query}`
  const latest = async (): Promise<Counts> => {
    const { beans } = (await (await fetch(jmx)).json()) as { beans: readonly Counts[] }
    return beans[0]!
  }
  await expect
    .poll(async () => (await latest()).BlocksWritten, { timeout: 40_000, interval: 500 })
    .toBeGreaterThanOrEqual(least)
  return await latest()
}

describe('a file in HDFS', () => {
  it('is on the disk of its DataNode when it is closed', async () => {
    const folder = await freshFolder()
    const stale = await countsWith(0)
    await write(direct, `${folder}/first`, pieces(1))
    const before = await countsWith(stale.BlocksWritten + 1)
    for (let number = 0; number < 5; number += 1) {
      await write(direct, `${folder}/small-${number}`, pieces(1))
      await write(direct, `${folder}/large-${number}`, pieces(36))
    }
    const after = await countsWith(before.BlocksWritten + 10)
    expect(after.FsyncCount - before.FsyncCount).toBeGreaterThanOrEqual(10)
  })

  it('of any size is written and read with as much memory as a small one', async () => {
    const path = `${await freshFolder()}/f`
    const [piece] = pieces(1)
    const held = (): number => process.memoryUsage().arrayBuffers
    const before = held()
    let most = 0
    const file = await direct.create(path)
    for (let number = 0; number < 256; number += 1) {
      await file.write(piece!)
      most = Math.max(most, held() - before)
    }
    await file.close()
    // What is held for another try, twice while it is let go of, and what is under way.
    expect(most).toBeLessThan(72 * mebibyte)
    const large = await direct.open(path)
    expect(large.sizeBytes).toBe(256 * mebibyte)
    expect(await large.read(200 * mebibyte, 10)).toEqual(piece!.subarray(0, 10))
  })

  it('has the location by which Hive finds it', async () => {
    const path = `${await freshFolder()}/f %:ü`
    await write(direct, path, pieces(1))
    const [name] = direct.locationOf(path).split('/').slice(-1)
    expect(direct.locationOf(path).startsWith(`${location}/`)).toBe(true)
    expect(name).toBe('f~20~25~3a~c3~bc')
  })
})
