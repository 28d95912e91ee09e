import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { crashPoints, evolvePoints, serverPoints } from '../../model/crash-points.ts'
import { errorCodes } from '../../model/errors.ts'
import { generatedDocs } from '../../scripts/docs.ts'

const root = join(import.meta.dirname, '../..')
const read = (path: string): string => readFileSync(join(root, path), 'utf8')

describe('generated documents', () => {
  it.each([...generatedDocs().keys()])('%s is what the code says (npm run docs)', path => {
    expect(read(path)).toBe(generatedDocs().get(path))
  })

  it('errors.md has a heading for each code, and no other', () => {
    const headings = [...read('docs/errors.md').matchAll(/^## (.+)$/gm)].map(match => match[1])
    expect(headings).toEqual(Object.keys(errorCodes))
  })

  it('every key of the configuration is described', () => {
    const lines = read('docs/config.md')
      .split('\n')
      .filter(line => line.startsWith('| `'))
    expect(lines.length).toBeGreaterThan(25)
    expect(lines.filter(line => /\|\s*\|$/.test(line))).toEqual([])
  })
})

describe('docs/exactly-once.md', () => {
  it('has a numbered line for each crash point of the code, and no other', () => {
    const rows = [...read('docs/exactly-once.md').matchAll(/^\| (\d+) \| `([a-z.-]+)` \|/gm)]
    const points = [...crashPoints, ...serverPoints, ...evolvePoints]
    expect(rows.map(match => match[2])).toEqual(points)
    expect(rows.map(match => Number(match[1]))).toEqual(points.map((_, index) => index + 1))
  })
})
