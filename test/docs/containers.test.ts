import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'

const root = join(import.meta.dirname, '../..')
const read = (path: string): string => readFileSync(join(root, path), 'utf8')
const { services } = parse(read('docker-compose.yml')) as {
  services: Record<string, { ports?: readonly string[] }>
}

describe('docs/containers.md', () => {
  it('tells every port that is published, and no other', () => {
    const published = Object.values(services).flatMap(({ ports = [] }) => ports)
    const own = published.map(port => Number(port.split(':')[1]))
    const found = read('docs/containers.md').matchAll(/127\.0\.0\.1:(\d+)/g)
    const told = [...found].map(([, port]) => Number(port))
    expect(new Set(told)).toEqual(new Set(own))
  })

  it('and README ask services that there are', () => {
    for (const path of ['docs/containers.md', 'README.md']) {
      const found = [...read(path).matchAll(/docker compose (?:exec|logs -f) ([a-z0-9]+)/g)]
      expect(found.length, path).toBeGreaterThan(1)
      for (const [, name = ''] of found) expect(services, path).toHaveProperty(name)
    }
  })
})
