/**
 * Adds what some versions of npm leave out of `package-lock.json`: the optional packages of platforms
 * other than the one it runs on. Without them `npm ci` fails there, or here with a newer npm. Run it
 * after `npm install`: `node scripts/complete-lockfile.ts`.
 */
import { readFileSync, writeFileSync } from 'node:fs'

interface LockedPackage {
  version?: string
  dev?: boolean
  optional?: boolean
  os?: string[]
  cpu?: string[]
  libc?: string[]
  optionalDependencies?: Record<string, string>
}

const file = new URL('../package-lock.json', import.meta.url)
const lock = JSON.parse(readFileSync(file, 'utf8')) as { packages: Record<string, LockedPackage> }
const systems = ['android', 'darwin', 'freebsd', 'linux', 'win32', 'openharmony']
const processors = ['arm64', 'x64', 'ia32', 'ppc64', 'riscv64', 's390x', 'loong64', 'arm', 'wasm32']

function platformOf(name: string): Partial<LockedPackage> {
  const words = name.split('/').at(-1)!.split('-')
  const os = systems.filter(system => words.includes(system))
  const cpu = processors.filter(processor => words.includes(processor)).slice(0, 1)
  const libc = words.some(word => word.startsWith('musl')) ? ['musl'] : ['glibc']
  const isLibcNamed = words.some(word => /^(musl|gnu)/.test(word))
  return {
    ...(cpu.length > 0 ? { cpu } : {}),
    ...(os.length > 0 ? { os } : {}),
    ...(os[0] === 'linux' && isLibcNamed ? { libc } : {}),
  }
}

let added = 0
for (const entry of Object.values(lock.packages)) {
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    const key = `node_modules/${name}`
    const platform = platformOf(name)
    if (lock.packages[key] !== undefined || Object.keys(platform).length === 0) continue
    lock.packages[key] = {
      version,
      ...(entry.dev === true ? { dev: true } : {}),
      optional: true,
      ...platform,
    }
    added += 1
  }
}
const { '': root, ...others } = lock.packages
lock.packages = Object.fromEntries([
  ['', root!],
  ...Object.entries(others).sort(([a], [b]) => (a < b ? -1 : 1)),
])
writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`)
console.log(`${added} packages added`)
