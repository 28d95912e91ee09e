/**
 * Makes the publishable package in `dist/`: the sources as JavaScript with their types, the launcher,
 * the example, and a `package.json` without what only development needs. `npm publish ./dist`.
 */
import { execFileSync } from 'node:child_process'
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')
const dist = join(root, 'dist')

rmSync(dist, { recursive: true, force: true })
execFileSync(join(root, 'node_modules/.bin/tsc'), ['-p', 'tsconfig.build.json'], {
  cwd: root,
  stdio: 'inherit',
})
for (const path of [
  'cli/forager.js',
  'cli/require-node.js',
  'examples/shop',
  'LICENSE',
  'README.md',
]) {
  cpSync(join(root, path), join(dist, path), { recursive: true })
}
cpSync(join(root, 'docs/config.schema.json'), join(dist, 'docs/config.schema.json'))

interface PackageJson {
  exports: Record<string, string>
  scripts?: unknown
  devDependencies?: unknown
  allowScripts?: unknown
  private?: boolean
}

const {
  scripts: _scripts,
  devDependencies: _tools,
  allowScripts: _allowed,
  ...published
} = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as PackageJson
const exported = Object.fromEntries(
  Object.entries(published.exports).map(([name, path]) => {
    const base = path.replace(/\.ts$/, '')
    return [name, { types: `${base}.d.ts`, default: `${base}.js` }]
  }),
)
const content = { ...published, exports: exported }
writeFileSync(join(dist, 'package.json'), `${JSON.stringify(content, null, 2)}\n`)
console.log('dist/ is ready: npm publish ./dist')
