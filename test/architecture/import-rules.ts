/**
 * The architecture as data: which folder may import which, and which of the system's own facilities
 * only one file may touch. `imports.test.ts` holds every file against it.
 */
import { parseSync } from 'oxc-parser'

/** Everybody may import these: they are interfaces. */
export const interfaceFiles: readonly string[] = [
  'processors/processor.ts',
  'state/state-store.ts',
  'formats/decoder.ts',
  'sinks/warehouse.ts',
  'sinks/staging.ts',
  'log/log.ts',
  'runtime/clock.ts',
  'runtime/random.ts',
  'runtime/file-system.ts',
  'observe/logger.ts',
  'observe/metrics.ts',
]

const folders = [
  'model',
  'topology',
  'processors',
  'state',
  'formats',
  'sinks',
  'orc',
  'log',
  'runtime',
  'observe',
  'testkit',
  'cli',
] as const

export type Folder = (typeof folders)[number]

export const allFolders: readonly Folder[] = folders

function allBut(...left: readonly Folder[]): readonly Folder[] {
  return folders.filter(folder => !left.includes(folder))
}

/** Beyond its own files and the interface files. */
export const mayImport: Readonly<Record<Folder | 'index.ts', readonly Folder[]>> = {
  model: [],
  orc: [],
  formats: ['model'],
  state: ['model'],
  log: ['model'],
  processors: ['model'],
  sinks: ['model', 'orc'],
  topology: ['model', 'processors'],
  runtime: ['model', 'topology', 'processors'],
  observe: ['model'],
  testkit: allBut('cli'),
  cli: allBut('testkit'),
  'index.ts': allBut('cli', 'testkit'),
}

/** What reaches out of the process, and the only files that may use it. */
export const guarded: readonly {
  readonly what: string
  readonly pattern: RegExp
  readonly files: readonly string[]
}[] = [
  {
    what: 'node:fs',
    pattern: /['"](node:)?fs(\/promises)?['"]/,
    files: ['runtime/file-system.ts'],
  },
  {
    what: 'the clock',
    pattern: /\bDate\.now\(|\bnew Date\(\)|\bperformance\.|\bprocess\.hrtime/,
    files: ['runtime/clock.ts'],
  },
  {
    what: 'timers',
    pattern: /\b(setTimeout|setInterval|setImmediate)\(|\bqueueMicrotask\(/,
    files: ['runtime/clock.ts'],
  },
  {
    what: 'randomness',
    pattern: /\bMath\.random\(|\brandomUUID\(|\brandomBytes\(|\bgetRandomValues\(/,
    files: ['runtime/random.ts'],
  },
  {
    what: 'the environment',
    pattern: /\bprocess\.env\b/,
    files: ['cli/main.ts', 'cli/commands/run.ts'],
  },
  { what: 'subscribe', pattern: /\.subscribe\(/, files: ['runtime/chain.ts'] },
]

/** Problems of one file, in words. `path` is relative to the project's root. */
export function problemsOf(path: string, source: string): string[] {
  return [...importProblems(path, source), ...guardProblems(path, source)]
}

function importProblems(path: string, source: string): string[] {
  const own = folderOf(path)
  return importedFiles(path, source).flatMap(imported => {
    const other = folderOf(imported)
    if (other === own || interfaceFiles.includes(imported)) return []
    if ((mayImport[own] as readonly string[]).includes(other)) return []
    return [`${path} imports ${imported}: ${own} may not import ${other}`]
  })
}

function guardProblems(path: string, source: string): string[] {
  const code = withoutComments(source)
  return guarded
    .filter(({ pattern, files }) => !files.includes(path) && pattern.test(code))
    .map(({ what, files }) => `${path} uses ${what}: only ${files.join(', ')} may`)
}

/** The project's files that a file imports or re-exports, types too. */
export function importedFiles(path: string, source: string): string[] {
  const { module } = parseSync(path, source)
  const specifiers = [
    ...module.staticImports.map(({ moduleRequest }) => moduleRequest.value),
    ...module.staticExports.flatMap(({ entries }) =>
      entries.flatMap(({ moduleRequest }) => moduleRequest?.value ?? []),
    ),
    ...module.dynamicImports.flatMap(({ moduleRequest }) => {
      const text = source.slice(moduleRequest.start, moduleRequest.end)
      return /^['"].*['"]$/.test(text) ? text.slice(1, -1) : []
    }),
  ]
  return specifiers
    .filter(specifier => specifier.startsWith('.'))
    .map(specifier => new URL(specifier, `file:///${path}`).pathname.slice(1))
}

function folderOf(path: string): Folder | 'index.ts' {
  if (path === 'index.ts') return path
  const folder = path.split('/')[0] as Folder
  if (!folders.includes(folder)) throw new Error(`${path} lies in no folder of the table`)
  return folder
}

function withoutComments(source: string): string {
  const { comments } = parseSync('file.ts', source)
  let code = ''
  let position = 0
  for (const { start, end } of comments) {
    code += source.slice(position, start)
    position = end
  }
  return code + source.slice(position)
}
