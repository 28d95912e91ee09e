/** What must hold of the Dockerfile before any of it is run; `test/stack/image.test.ts` runs it. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { imageSettings, soakSettings } from '../../scripts/soak/site.ts'
import { ignoredNames, stepsOf } from '../stack/dockerfile.ts'

const root = join(import.meta.dirname, '../..')
const read = (path: string): string => readFileSync(join(root, path), 'utf8')

const steps = stepsOf(read('Dockerfile'))
const last = steps.slice(steps.findLastIndex(({ keyword }) => keyword === 'FROM'))
const only = (keyword: string) => {
  const found = last.filter(step => step.keyword === keyword)
  expect(found, keyword).toHaveLength(1)
  return found[0]!
}

describe('the Dockerfile', () => {
  it('has the Node of the development, by its exact version, in every stage', () => {
    const { devDependencies } = JSON.parse(read('package.json')) as {
      devDependencies: { node: string }
    }
    const bases = steps.filter(({ keyword }) => keyword === 'FROM').map(({ text }) => text)
    expect(bases.length).toBeGreaterThan(1)
    for (const base of bases) {
      expect(base.split(' ')[0]).toBe(`node:${devDependencies.node}-bookworm-slim`)
    }
    expect(devDependencies.node).toMatch(/^24\./)
  })

  it('leaves an image without tools of development that is not run as root and can be asked', () => {
    expect(only('USER').text).toBe('node')
    expect(only('ENTRYPOINT').json).toEqual(['forager'])
    expect(only('STOPSIGNAL').text).toBe('SIGTERM')
    expect(only('HEALTHCHECK').json?.[0]).toBe('node')
    expect(only('VOLUME').text).toBe('/var/lib/forager')
    // Nothing is made in it that did not come out of another stage.
    expect(last.filter(({ keyword }) => keyword === 'RUN')).toEqual([])
    const copied = last.filter(({ keyword }) => keyword === 'COPY')
    expect(copied.every(({ flags }) => flags.from !== undefined)).toBe(true)
    const installs = steps.filter(({ text }) => text.startsWith('npm ci')).map(({ text }) => text)
    expect(installs).toEqual([
      'npm ci --no-audit --no-fund',
      'npm ci --omit=dev --no-audit --no-fund',
    ])
  })

  it('has the settings of memory that soaks are run with', () => {
    const set = last
      .filter(({ keyword }) => keyword === 'ENV')
      .flatMap(({ text }) => text.split(' '))
    const settings = Object.entries(imageSettings).map(([name, value]) => `${name}=${value}`)
    expect(settings.length).toBeGreaterThan(3)
    expect(set).toEqual(expect.arrayContaining(settings))
    // Of Compose's container as well, which has a bound of the heap beside them, as soaks have.
    expect(read('docker-compose.yml')).toContain(`NODE_OPTIONS: ${soakSettings.NODE_OPTIONS}\n`)
    const told = read('docs/containers.md')
    for (const one of settings) expect(told).toContain(`\`${one}\``)
  })

  it('is not read where it says what nobody here understands', () => {
    const wrong = [
      'FROM node:24\nADD https://example.org/a /a',
      'FROM node:24\nRUN --mount=type=cache,target=/a true',
      'FROM node:24\nCOPY --link a b',
      'FROM node:24\nRUNS npm ci',
    ]
    for (const text of wrong) expect(() => stepsOf(text), text).toThrow(/is not understood/)
  })

  it('is given nothing that git does not have', () => {
    const ignored = ignoredNames(read('.dockerignore'))
    const names = read('.gitignore')
      .split('\n')
      .filter(line => line.endsWith('/'))
      .map(line => line.slice(0, -1))
    expect(names.length).toBeGreaterThan(3)
    expect(ignored).toEqual(expect.arrayContaining([...names, '.git']))
  })
})
