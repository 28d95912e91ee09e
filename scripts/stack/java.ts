/** Finds a Java on this machine for a server that needs a newer one than the rest of the stack does. */
import { existsSync, readdirSync, readFileSync, realpathSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** Where Debian's packages, and those of Temurin, put a folder each. */
const packaged = '/usr/lib/jvm'

/** The program of the first that is new enough; throws with advice when none is. */
export function javaOf(
  least: number,
  { homes = javaHomes(), neededBy }: { readonly homes?: readonly string[]; neededBy: string },
): string {
  const found = homes.map(home => ({ home, version: versionOf(home) }))
  const good = found.find(({ version }) => version !== null && version >= least)
  if (good !== undefined) return join(good.home, 'bin', 'java')
  const seen = found.filter(({ version }) => version !== null)
  const list = seen.map(({ home, version }) => `Java ${version} in ${home}`).join(', ') || 'no Java'
  throw new Error(
    `${neededBy} needs Java ${least} or newer, and there is ${list}: ` +
      `install one in ${packaged} (\`openjdk-${least}-jre-headless\`, Temurin), or name its folder in JAVA_HOME`,
  )
}

/** Those of JAVA_HOME and of the PATH come first. */
function javaHomes(): readonly string[] {
  const { JAVA_HOME, PATH = '' } = process.env
  const onPath = PATH.split(':')
    .map(folder => join(folder, 'java'))
    .filter(path => existsSync(path))
    .map(path => dirname(dirname(realpathSync(path))))
  const installed = existsSync(packaged) ? readdirSync(packaged).sort() : []
  const all = [...onPath, ...installed.map(name => join(packaged, name))]
  return [...new Set(JAVA_HOME === undefined ? all : [JAVA_HOME, ...all])]
}

/** `JAVA_VERSION="25.0.3"` in its file `release`; 8 calls itself 1.8. Null when there is no Java to start. */
function versionOf(home: string): number | null {
  const release = join(home, 'release')
  if (!existsSync(release) || !existsSync(join(home, 'bin', 'java'))) return null
  const found = /^JAVA_VERSION="(?:1\.)?(\d+)/m.exec(readFileSync(release, 'utf8'))
  return found === null ? null : Number(found[1])
}
