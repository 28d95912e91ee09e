import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { javaOf } from '../../scripts/stack/java.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'forager-java-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

function home(name: string, version: string): string {
  const path = join(folder, name)
  mkdirSync(join(path, 'bin'), { recursive: true })
  writeFileSync(join(path, 'bin', 'java'), '')
  writeFileSync(join(path, 'release'), `IMPLEMENTOR="Somebody"\nJAVA_VERSION="${version}"\n`)
  return path
}

it('the first that is new enough is taken', () => {
  const homes = [
    home('eight', '1.8.0_402'),
    home('old', '17.0.15'),
    home('a', '25'),
    home('b', '21.0.1'),
  ]
  expect(javaOf(21, { homes, neededBy: 'the server' })).toBe(join(folder, 'a', 'bin', 'java'))
})

it('when none is, what is there is said, and what to do', () => {
  const empty = join(folder, 'empty')
  mkdirSync(empty)
  const homes = [join(folder, 'missing'), empty, home('eight', '1.8.0_402'), home('old', '17.0.15')]
  const ask = (): string => javaOf(21, { homes, neededBy: 'the server' })
  expect(ask).toThrow(/^the server needs Java 21 or newer, and there is Java 8 in .*, Java 17 in /)
  expect(ask).toThrow(/JAVA_HOME/)
  expect(() => javaOf(21, { homes: [], neededBy: 'it' })).toThrow('there is no Java: ')
})
