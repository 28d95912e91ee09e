import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { sqliteHistory } from '../../../observe/history/sqlite-history.ts'
import { historyConformance } from '../../../testkit/history-conformance.ts'
import { inTemporaryFolder } from '../../log/logs.ts'

describe('the history in SQLite', () => {
  it.each(historyConformance)('$title', async ({ run }) => {
    await inTemporaryFolder(async folder => {
      const path = join(folder, 'history.sqlite')
      await run(isWriter => sqliteHistory({ path, isWriter }), 'app')
    })
  })

  it.each([
    ['a folder', (path: string) => mkdir(path)],
    ['no database', (path: string) => writeFile(path, 'something else '.repeat(1000))],
  ])('says what is wrong where its file is %s', async (_, make) => {
    await inTemporaryFolder(async folder => {
      const path = join(folder, 'history.sqlite')
      await make(path)
      const history = sqliteHistory({ path, isWriter: true })
      await expect(history.open()).rejects.toMatchObject({
        code: 'history-unavailable',
        message: expect.stringContaining(`sqlite:${path}: `) as string,
      })
      await history.close()
    })
  })

  it('of another layout is refused, and not changed', async () => {
    await inTemporaryFolder(async folder => {
      const path = join(folder, 'history.sqlite')
      const first = sqliteHistory({ path, isWriter: true })
      await first.open()
      await first.close()
      const { DatabaseSync } = await import('node:sqlite')
      const database = new DatabaseSync(path)
      database.exec('UPDATE forager_history SET layout = 7')
      database.close()
      const second = sqliteHistory({ path, isWriter: true })
      await expect(second.open()).rejects.toThrow(
        'its tables have layout 7, and this version knows 1',
      )
      await second.close()
    })
  })
})
