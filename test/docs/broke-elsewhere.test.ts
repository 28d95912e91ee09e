/** "What broke elsewhere" of docs/reliability.md: every row has its tests, and every such test its row. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseSync } from 'oxc-parser'
import { describe, expect, it } from 'vitest'

const root = join(import.meta.dirname, '../..')
const folder = 'test/broke-elsewhere'
const text = readFileSync(join(root, 'docs/reliability.md'), 'utf8')
const [, section = ''] = /^## What broke elsewhere$(.*?)^## /ms.exec(text) ?? []

interface Link {
  readonly title: string
  readonly path: string
}

function linksOf(part: string): readonly Link[] {
  const found = part.matchAll(/\[([^\]]+)\]\(\.\.\/(test\/[^)]+)\)/g)
  return [...found].map(([, title = '', path = '']) => ({ title, path }))
}

/** The first arguments of `describe`, `it` and their `each`, as the file has them. */
function titlesOf(path: string, callees = /^(describe|it)\b/): readonly string[] {
  const source = readFileSync(join(root, path), 'utf8')
  const titles: string[] = []
  const visit = (node: unknown): void => {
    if (Array.isArray(node)) for (const item of node) visit(item)
    if (typeof node !== 'object' || node === null || Array.isArray(node)) return
    const {
      type,
      callee,
      arguments: given,
    } = node as {
      readonly type?: string
      readonly callee?: { readonly start: number; readonly end: number }
      readonly arguments?: readonly { readonly type: string; readonly value?: unknown }[]
    }
    if (type === 'CallExpression' && callees.test(source.slice(callee!.start, callee!.end))) {
      const [title] = given!
      if (title?.type === 'Literal' && typeof title.value === 'string') titles.push(title.value)
    }
    for (const value of Object.values(node)) visit(value)
  }
  visit(parseSync(path, source).program)
  return titles
}

describe('what broke elsewhere', () => {
  const rows = [...section.matchAll(/^\| (\d+) \|.*$/gm)]

  it('has its 25 rows, each with a test or why it has none', () => {
    expect(rows.map(([, number]) => Number(number))).toEqual(
      Array.from({ length: 25 }, (_, index) => index + 1),
    )
    const unproved = rows.filter(([line]) => linksOf(line).length === 0)
    expect(unproved.filter(([line]) => !line.includes('Does not apply:'))).toEqual([])
    const asks = [...section.matchAll(/^- \*\*.*$/gm)]
    expect(asks).toHaveLength(5)
    for (const [line] of asks) expect(linksOf(line).length, line).toBeGreaterThan(0)
  })

  it('links files that there are, and titles that they have', () => {
    const links = linksOf(section)
    expect(links.length).toBeGreaterThan(60)
    const paths = [...new Set(links.map(({ path }) => path))]
    const titles = new Map(
      paths.map(path => [path, existsSync(join(root, path)) ? titlesOf(path) : []]),
    )
    const broken = links.filter(({ title, path }) => !titles.get(path)!.includes(title))
    expect(broken).toEqual([])
  })

  it('links every test of its folder', () => {
    const files = readdirSync(join(root, folder)).filter(name => name.endsWith('.test.ts'))
    const all = files.flatMap(name => {
      const path = `${folder}/${name}`
      return titlesOf(path, /^it\b/).map(title => ({ title, path }))
    })
    expect(all.length).toBeGreaterThan(30)
    expect(linksOf(section)).toEqual(expect.arrayContaining(all))
  })
})
