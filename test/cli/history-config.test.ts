import { describe, expect, it } from 'vitest'
import { readConfig } from '../../cli/config.ts'
import { nodeFileSystem } from '../../runtime/file-system.ts'
import { configText, inFolder } from './program.ts'
import { fileOf, goodLines } from './recorded.ts'

async function read(more: string, env?: Record<string, string>) {
  return await inFolder(async program => {
    await program.write('forager.yaml', configText({ more }))
    await program.write('events.jsonl', fileOf(goodLines()))
    const { loaded, problems } = await readConfig(nodeFileSystem, program.path('forager.yaml'), env)
    return { config: loaded?.config ?? null, problems: problems.map(({ message }) => message) }
  })
}

const server = (rest: string) => `history: { type: postgres, host: h, user: u, database: d${rest} }`

describe('the keys of the history', () => {
  it('have defaults', async () => {
    const { config } = await read(server(''))
    expect(config!.history).toEqual({
      type: 'postgres',
      host: 'h',
      user: 'u',
      database: 'd',
      timeout: 10_000,
      retain: 720 * 3_600_000,
      maxRows: 2_000_000,
      maxWaiting: 10_000,
    })
  })

  it('take secrets from the environment and from files', async () => {
    const more = `${server(', password: "${env:HISTORY}", retain: 24h')}\nhttp: { token: "\${env:TOKEN}" }`
    const { config } = await read(more, { HISTORY: 'p', TOKEN: 'sixteen-or-more-chars' })
    expect(config!.history).toMatchObject({ password: 'p', retain: 24 * 3_600_000 })
    expect(config!.http!.token).toBe('sixteen-or-more-chars')
    const absent = await read(more, {})
    expect(absent.problems).toContain('history.password: the environment has no variable HISTORY')
    expect(absent.problems).toContain('http.token: the environment has no variable TOKEN')
  })

  it.each([
    [
      'history: { type: oracle }',
      'history.type must be sqlite or postgres or mariadb or mysql or none',
    ],
    ['history: { type: sqlite, host: h }', 'unknown key history.host'],
    ['history: { type: mariadb, host: h, user: u }', 'history.database is missing'],
    ['history: { type: sqlite, maxWaiting: 1 }', 'history.maxWaiting must be at least 100'],
    ['history: { type: sqlite, retain: 30 }', 'history.retain must be a duration'],
    ['http: { token: short }', 'http.token must have 16 characters or more, and no space'],
  ])('are refused with the reason: %s', async (more, message) => {
    const { config, problems } = await read(more)
    expect(config).toBeNull()
    expect(problems.join('\n')).toContain(message)
  })
})
