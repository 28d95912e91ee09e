/** What `CONTRIBUTING.md` says of files and functions, held against all of them. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseSync } from 'oxc-parser'
import { describe, expect, it } from 'vitest'
import { allFolders } from './import-rules.ts'

const root = join(import.meta.dirname, '../..')
const maxFileLines = 400
const maxFunctionLines = 70
const bannedNames = /(^|-)(utils?|helpers?|common|manager|impl|misc)(-|\.|$)/

const files = [...allFolders, 'test', 'bench', 'scripts', 'examples']
  .flatMap(folder => readdirSync(join(root, folder), { withFileTypes: true, recursive: true }))
  .filter(entry => entry.isFile() && entry.name.endsWith('.ts'))
  .map(entry => join(entry.parentPath, entry.name).slice(root.length + 1))

interface Source {
  readonly path: string
  readonly text: string
}

const sources: readonly Source[] = files.map(path => {
  return { path, text: readFileSync(join(root, path), 'utf8') }
})

interface Node {
  readonly type: string
  readonly start: number
  readonly end: number
  readonly body?: unknown
}

/** Functions that are longer than they may be, as `path:line`. Suites of tests are no functions. */
function longFunctions({ path, text }: Source): string[] {
  const found: string[] = []
  const visit = (node: unknown): void => {
    if (Array.isArray(node)) {
      for (const item of node) visit(item)
      return
    }
    if (typeof node !== 'object' || node === null) return
    const { type, start, end } = node as Node
    if (/^(FunctionDeclaration|FunctionExpression|ArrowFunctionExpression)$/.test(type ?? '')) {
      const lines = text.slice(start, end).split('\n').length
      const line = text.slice(0, start).split('\n').length
      if (lines > maxFunctionLines) found.push(`${path}:${line} (${lines} lines)`)
    }
    for (const value of Object.values(node)) visit(value)
  }
  visit(parseSync(path, text).program)
  return found
}

describe('the code base', () => {
  it(`has no file of more than ${maxFileLines} lines`, () => {
    const long = sources.filter(({ text }) => text.split('\n').length > maxFileLines + 1)
    expect(long.map(({ path }) => path)).toEqual([])
  })

  it(`has no function of more than ${maxFunctionLines} lines`, () => {
    const own = sources.filter(({ path }) => !path.startsWith('test/'))
    expect(own.flatMap(longFunctions)).toEqual([])
  })

  it('tells at the head of each file what it owns', () => {
    const silent = sources.filter(({ path, text }) => {
      return !path.endsWith('.test.ts') && !text.startsWith('/**')
    })
    expect(silent.map(({ path }) => path)).toEqual([])
  })

  it('has no names that say nothing', () => {
    expect(files.filter(path => bannedNames.test(path.split('/').at(-1)!))).toEqual([])
  })

  it('has no test that is skipped, and none alone', () => {
    const pattern =
      /\b(it|test|describe)\.(skip|only|todo|skipIf|runIf(?!\(process\.platform === 'linux'\)))\b/
    const own = sources.filter(({ path }) => !path.endsWith('style.test.ts'))
    expect(own.filter(({ text }) => pattern.test(text)).map(({ path }) => path)).toEqual([])
  })

  it('is seen by these rules', () => {
    expect(files.length).toBeGreaterThan(150)
    const long = `function f() {\n${'  g()\n'.repeat(maxFunctionLines)}}`
    expect(longFunctions({ path: 'x.ts', text: long })).toHaveLength(1)
    expect(bannedNames.test('string-utils.ts')).toBe(true)
  })
})
