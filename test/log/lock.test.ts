import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { FileStorage } from '../../log/file-storage.ts'
import { nodeFileSystem } from '../../runtime/file-system.ts'
import { inTemporaryFolder } from './logs.ts'

/** A process of its own that holds the lock of a log's folder. */
async function holdLock(folder: string) {
  await mkdir(folder, { recursive: true })
  const script = join(import.meta.dirname, 'hold-lock.ts')
  const child = spawn(process.execPath, [script, join(folder, 'lock')], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  await once(child.stdout, 'data')
  return child
}

async function storageIn(folder: string): Promise<FileStorage> {
  const storage = new FileStorage(nodeFileSystem, folder)
  await storage.open()
  return storage
}

describe('the lock of a state folder', () => {
  it('is held by a living process, and void when that was killed', async () => {
    await inTemporaryFolder(async folder => {
      const child = await holdLock(folder)
      await expect(storageIn(folder)).rejects.toMatchObject({
        code: 'state-locked',
        message: `process ${child.pid} holds ${join(folder, 'lock')}`,
        context: { file: join(folder, 'lock') },
      })
      expect(await readdir(folder)).toEqual(['lock'])
      child.kill('SIGKILL')
      await once(child, 'exit')
      expect(await readdir(folder)).toEqual(['lock'])
      const storage = await storageIn(folder)
      await storage.createTopic({ name: 't', id: 'i', partitions: 1, cleanup: 'delete' })
      await storage.close()
    })
  })

  it('is held against the same process as well, and free when it is closed', async () => {
    await inTemporaryFolder(async folder => {
      const storage = await storageIn(folder)
      await expect(storageIn(folder)).rejects.toMatchObject({ code: 'state-locked' })
      await storage.close()
      await (await storageIn(folder)).close()
    })
  })

  it.each(['', '4194999 12345'])('goes to one of many who ask at once (%j)', async text => {
    await inTemporaryFolder(async folder => {
      const path = join(folder, 'lock')
      if (text !== '') await writeFile(path, text)
      const outcomes = await Promise.allSettled(
        Array.from({ length: 20 }, () => nodeFileSystem.lock(path)),
      )
      const refused = outcomes.flatMap(outcome =>
        outcome.status === 'rejected' ? [(outcome.reason as { code: string }).code] : [],
      )
      expect(refused).toEqual(Array(19).fill('state-locked'))
      expect(await readdir(folder)).toEqual(['lock'])
    })
  })

  it.each([
    ['empty', ''],
    ['of no process', '4194999 12345'],
    ['noise', 'noise'],
    ['negative', '-1 5'],
  ])('that is %s is void', async (_what, text) => {
    await inTemporaryFolder(async folder => {
      await writeFile(join(folder, 'lock'), text)
      await (await storageIn(folder)).close()
    })
  })

  it('of a process whose id was given to another one is void', async () => {
    await inTemporaryFolder(async folder => {
      const storage = await storageIn(folder)
      const [pid, start, ...rest] = (await readFile(join(folder, 'lock'), 'utf8')).split(' ')
      expect(pid).toBe(String(process.pid))
      await storage.close()
      await writeFile(join(folder, 'lock'), [pid, Number(start) - 1, ...rest].join(' '))
      await (await storageIn(folder)).close()
    })
  })
})
