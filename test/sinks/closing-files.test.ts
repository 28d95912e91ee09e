import { describe, expect, it } from 'vitest'
import { ClosingFiles } from '../../sinks/closing-files.ts'

/** Files that are closed when the test says so. */
class HeldFiles {
  readonly held: PromiseWithResolvers<void>[] = []

  readonly close = (): Promise<void> => {
    const one = Promise.withResolvers<void>()
    this.held.push(one)
    return one.promise
  }
}

/** Whether it has happened when all that can go on went on. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let isDone = false
  const mark = (): void => {
    isDone = true
  }
  promise.then(mark, mark)
  await othersRun()
  return isDone
}

/** All that can go on without the test goes on. */
function othersRun(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}

describe('closing files', () => {
  it('are durable only when each of them is', async () => {
    const files = new HeldFiles()
    const closing = new ClosingFiles()
    await closing.add(10, files.close)
    await closing.add(10, files.close)
    const all = closing.all()
    files.held[1]!.resolve()
    expect(await isSettled(all)).toBe(false)
    files.held[0]!.resolve()
    await all
  })

  it.each([
    ['many', 16, 10],
    ['large', 2, 12 * 1024 * 1024],
  ])('wait for one of them when they are too %s', async (_, count, sizeBytes) => {
    const files = new HeldFiles()
    const closing = new ClosingFiles()
    for (let number = 1; number < count; number += 1) await closing.add(sizeBytes, files.close)
    const last = closing.add(sizeBytes, files.close)
    expect(await isSettled(last)).toBe(false)
    files.held[count - 1]!.resolve()
    await last
    const next = closing.add(sizeBytes, files.close)
    expect(await isSettled(next)).toBe(false)
    for (const { resolve } of files.held) resolve()
    await next
    await closing.all()
  })

  it('fail the next one, and the whole, with what the first failed with', async () => {
    const files = new HeldFiles()
    const closing = new ClosingFiles()
    await closing.add(10, files.close)
    await closing.add(10, files.close)
    files.held[1]!.reject(new Error('the first'))
    await othersRun()
    await expect(closing.add(10, files.close)).rejects.toThrow('the first')
    files.held[0]!.reject(new Error('the second'))
    files.held[2]!.resolve()
    await expect(closing.all()).rejects.toThrow('the first')
  })
})
