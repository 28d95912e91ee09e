import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { allFolders, importedFiles, interfaceFiles, problemsOf } from './import-rules.ts'

const root = join(import.meta.dirname, '../..')

function sourceFiles(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true, recursive: true })
    .filter(entry => entry.isFile() && entry.name.endsWith('.ts'))
    .map(entry => join(entry.parentPath, entry.name).slice(root.length + 1))
}

const files = [...allFolders.flatMap(sourceFiles), 'index.ts']

describe('the import rules', () => {
  it('hold for every file', () => {
    const problems = files.flatMap(path => problemsOf(path, readFileSync(join(root, path), 'utf8')))
    expect(problems).toEqual([])
  })

  it('are held against every folder, and see its imports', () => {
    let imports = 0
    for (const folder of allFolders) {
      const own = files.filter(path => path.startsWith(`${folder}/`))
      expect(own.length, folder).toBeGreaterThan(1)
      for (const path of own) {
        imports += importedFiles(path, readFileSync(join(root, path), 'utf8')).length
      }
    }
    expect(imports).toBeGreaterThan(300)
  })

  it('name interface files that exist', () => {
    for (const path of interfaceFiles) expect(files).toContain(path)
  })

  it.each([
    ['a model that imports a sink', 'model/x.ts', "import { y } from '../sinks/file-names.ts'"],
    ['a type import counts', 'formats/x.ts', "import type { Y } from '../runtime/loop.ts'"],
    ['a re-export counts', 'orc/index.ts', "export { y } from '../model/value.ts'"],
    ['an import at run time counts', 'log/x.ts', "const y = await import('../cli/main.ts')"],
    [
      'the runtime knows no format',
      'runtime/x.ts',
      "import { y } from '../formats/debezium-json.ts'",
    ],
    ['the program does not use the testkit', 'cli/x.ts', "import { y } from '../testkit/index.ts'"],
    ['files are read in one file', 'log/x.ts', "import { readFile } from 'node:fs/promises'"],
    ['the time is asked in one file', 'runtime/x.ts', 'const now = Date.now()'],
    ['a timer is set in one file', 'sinks/x.ts', 'setTimeout(() => undefined, 1)'],
    ['chance comes from one file', 'processors/x.ts', 'const y = Math.random()'],
    ['the environment is the command line’s', 'log/x.ts', 'const y = process.env.HOME'],
    ['only the chain subscribes', 'topology/x.ts', 'stream.subscribe(y)'],
  ])('refuse what they are for: %s', (_title, path, source) => {
    expect(problemsOf(path, source)).toHaveLength(1)
  })

  it('pass what they allow', () => {
    expect(problemsOf('runtime/x.ts', "import type { Log } from '../log/log.ts'")).toEqual([])
    expect(problemsOf('sinks/x.ts', "import { OrcWriter } from '../orc/index.ts'")).toEqual([])
    expect(
      problemsOf('log/x.ts', '// Math.random() would not do here\nexport const y = 1'),
    ).toEqual([])
  })
})
