/** What `npm ci` brings: exact versions, whose content is known, under licences that are listed. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

const root = join(import.meta.dirname, '../..')

interface Locked {
  readonly version?: string
  readonly integrity?: string
  readonly license?: string
  readonly dev?: boolean
  readonly optional?: boolean
  readonly hasInstallScript?: boolean
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

interface Manifest {
  readonly license?: string | { readonly type?: string }
  readonly licenses?: readonly { readonly type: string }[]
  readonly scripts?: Readonly<Record<string, string>>
  readonly dependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
  readonly allowScripts?: Readonly<Record<string, boolean>>
}

function jsonOf<T>(...path: readonly string[]): T {
  return JSON.parse(readFileSync(join(root, ...path), 'utf8')) as T
}

/** Null where it is of another platform. */
function manifestOf(name: string): Manifest | null {
  try {
    return jsonOf('node_modules', name, 'package.json')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}

const own = jsonOf<Manifest>('package.json')
const { '': _, ...packages } = jsonOf<{ packages: Record<string, Locked> }>(
  'package-lock.json',
).packages
const locked = Object.entries(packages).map(([path, one]) => {
  return { ...one, name: path.slice(path.lastIndexOf('node_modules/') + 13), path }
})
const document = readFileSync(join(root, 'docs/dependencies.md'), 'utf8')

/** Rows of the table behind a heading, as cells without backquotes. */
function tableBehind(heading: string): readonly (readonly string[])[] {
  const part = document.split(`\n${heading}\n`)[1]?.split('\n## ')[0] ?? ''
  return [...part.matchAll(/^\| (.+) \|$/gm)]
    .map(([, row]) => row!.split(' | ').map(cell => cell.replaceAll('`', '').trim()))
    .slice(1)
}

/** As each package itself says. */
function licenceOf({ license, licenses }: Manifest): string {
  if (typeof license === 'string') return license
  return license?.type ?? licenses?.map(({ type }) => type).join(' OR ') ?? 'none'
}

const platforms = /-(android|darwin|freebsd|linux|openharmony|win32)-[\w-]+$/

/** Of what a run may load: with what it needs itself, and once for all platforms. */
function runtimeLicences(): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, Set<string>>()
  for (const { name, path, dev } of locked) {
    if (dev === true || platforms.test(name)) continue
    const manifest = manifestOf(path.slice('node_modules/'.length))
    if (manifest === null) throw new Error(`${path} is not installed: npm ci`)
    const licence = licenceOf(manifest)
    found.set(licence, (found.get(licence) ?? new Set()).add(name))
  }
  return new Map([...found].map(([licence, names]) => [licence, [...names].sort()]))
}

describe('a dependency', () => {
  it('has an exact version', () => {
    const all = Object.entries({ ...own.dependencies, ...own.devDependencies })
    expect(all.length).toBeGreaterThan(20)
    for (const [name, version] of all) {
      expect([name, version]).toEqual([name, expect.stringMatching(/^\d+\.\d+\.\d+$/)])
      expect([name, packages[`node_modules/${name}`]?.version]).toEqual([name, version])
    }
    expect(readFileSync(join(root, '.npmrc'), 'utf8')).toContain('save-exact=true')
  })

  it('is known by its content, with all that it needs itself', () => {
    const isKnown = ({ integrity = '' }: Locked): boolean => /^sha512-[\w+/]{86}==$/.test(integrity)
    const unknown = locked.filter(one => !isKnown(one))
    expect(locked.length - unknown.length).toBeGreaterThan(200)
    // Tools of development for other platforms, which npm leaves out here: exact versions, no content.
    for (const { path, name, version, dev, optional } of unknown) {
      expect([path, dev, optional, manifestOf(name)]).toEqual([path, true, true, null])
      const naming = Object.values(packages).filter(
        one => one.optionalDependencies?.[name] === version,
      )
      expect([path, naming.some(isKnown)]).toEqual([path, true])
    }
  })

  it('that is installed is the one of the lock file', () => {
    for (const { path, version } of locked) {
      const manifest = manifestOf(path.slice('node_modules/'.length)) as { version?: string } | null
      if (manifest !== null) expect([path, manifest.version]).toEqual([path, version])
    }
  })

  it('that a run may load is listed with the licence that it has, and no other is listed', () => {
    const listed = tableBehind('## Licences').map(([licence, , names]) => {
      return [licence, names!.split(', ')] as const
    })
    expect(Object.fromEntries(listed)).toEqual(Object.fromEntries(runtimeLicences()))
  })

  it('has for each platform the licence that it has on this one', () => {
    const byPlatform = locked.filter(({ name, dev }) => dev !== true && platforms.test(name))
    expect(byPlatform.length).toBeGreaterThan(10)
    for (const { name, license } of byPlatform) expect([name, license]).toEqual([name, 'MIT'])
  })
})

describe('a script that runs when something is installed', () => {
  const scripts = ['preinstall', 'install', 'postinstall'] as const

  it('is listed with what it does, and allowed by name', () => {
    const listed = tableBehind('## Scripts that run at installation').map(([name]) => name!)
    const marked = locked.filter(one => one.hasInstallScript === true).map(({ name }) => name)
    expect(listed.toSorted()).toEqual(marked.toSorted())
    expect(Object.keys(own.allowScripts ?? {}).toSorted()).toEqual(marked.toSorted())
  })

  it('is nowhere else: packages themselves have none that the lock file does not tell', () => {
    const found = locked.flatMap(({ name, path }) => {
      const manifest = manifestOf(path.slice('node_modules/'.length))
      return scripts.some(one => manifest?.scripts?.[one] !== undefined) ? [name] : []
    })
    const marked = locked.filter(one => one.hasInstallScript === true).map(({ name }) => name)
    expect(found.toSorted()).toEqual(marked.toSorted())
  })

  it('is what was reviewed', () => {
    for (const [name, script] of tableBehind('## Scripts that run at installation')) {
      const manifest = manifestOf(name!)
      const found = scripts.flatMap(one => manifest?.scripts?.[one] ?? [])
      expect([name, found.join('; ')]).toEqual([name, script])
    }
  })

  it('is none of our own', () => {
    const ours = [...scripts, 'prepare', 'prepublish'] as const
    expect(ours.filter(one => own.scripts?.[one] !== undefined)).toEqual([])
  })
})
