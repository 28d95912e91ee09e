/** What must hold of the real stack before any of it is started: its ports, and the order of its parts. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { allPorts, portsPerStack, testOffsets } from '../../scripts/stack/parts.ts'
import { claim, parts } from '../../scripts/stack/stack.ts'

const folder = join(import.meta.dirname, '../../scripts/stack')
const templates = readdirSync(folder, { withFileTypes: true, recursive: true })
  .filter(entry => entry.isFile() && /\.(xml|properties|cnf|sql)$/.test(entry.name))
  .map(entry => join(entry.parentPath, entry.name))

const portsAt = (portOffset: number): readonly number[] => allPorts({ home: '', portOffset })

describe('ports of the stack', () => {
  it('no two servers of a stack share one', () => {
    const ports = portsAt(0)
    expect(new Set(ports).size).toBe(ports.length)
    expect(Math.max(...ports) - Math.min(...ports)).toBeLessThan(portsPerStack)
  })

  it('stacks of tests share none with each other, nor with one that was started by hand', () => {
    const ports = [0, ...testOffsets].flatMap(portsAt)
    expect(new Set(ports).size).toBe(ports.length)
  })

  it('none is one that the system may give to an outgoing connection', () => {
    expect(Math.max(...testOffsets.flatMap(portsAt))).toBeLessThan(32_768)
  })

  it('are had by one run of tests at a time', async () => {
    // Where no stack of tests ever lies, nor this test of another clone.
    const blocks = 1 + (process.pid % 100)
    const stack = { home: '', portOffset: Math.max(...testOffsets) + blocks * portsPerStack }
    const release = await claim(stack)
    expect(release).not.toBeNull()
    expect(await claim(stack)).toBeNull()
    await release?.()
    const again = await claim(stack)
    expect(again).not.toBeNull()
    await again?.()
  })

  it('settings files have every port from the offset', () => {
    expect(templates.length).toBeGreaterThan(8)
    for (const path of templates) {
      const text = readFileSync(path, 'utf8')
      // An address with a number, or a setting or XML property of a port with one (0 switches it off).
      const byNumber = /127\.0\.0\.1:\d|port=[1-9]|port<\/name><value>[1-9]/.exec(text)
      expect(byNumber?.[0], path).toBeUndefined()
    }
  })

  it('settings files listen on the loopback address alone', () => {
    for (const path of templates) {
      expect(readFileSync(path, 'utf8'), path).not.toMatch(
        /0\.0\.0\.0|listeners=[A-Z]+:\/\/:|\[::\]/,
      )
    }
  })
})

describe('parts of the stack', () => {
  it('each comes after the parts that it needs', () => {
    const names = parts.map(({ name }) => name)
    for (const { name, needs } of parts) {
      for (const need of needs) {
        expect(names.slice(0, names.indexOf(name)), `${name} needs ${need}`).toContain(need)
      }
    }
  })

  it('none that is started by default needs an extra one', () => {
    const extra = new Set(parts.filter(({ isExtra }) => isExtra).map(({ name }) => name))
    const needed = parts.filter(({ isExtra }) => !isExtra).flatMap(({ needs }) => needs)
    expect(needed.filter(name => extra.has(name))).toEqual([])
    expect(needed.length).toBeGreaterThan(0)
  })
})
