import { describe, expect, it } from 'vitest'
import type { Rename } from '../../../sinks/hive/rename-steps.ts'
import { renameSteps } from '../../../sinks/hive/rename-steps.ts'

/** `a>b`. */
function renames(...texts: readonly string[]): readonly Rename[] {
  return texts.map(text => {
    const [from, to] = text.split('>')
    return { from: from!, to: to! }
  })
}

function steps(names: string, ...texts: readonly string[]): Record<string, string> {
  const found = renameSteps(renames(...texts), new Set(names.split(' ')))
  const text = (own: readonly Rename[]): string => own.map(one => `${one.from}>${one.to}`).join(' ')
  const { left, done, stuck, lost } = found
  const all = { left: text(left), done: text(done), stuck: text(stuck), lost: text(lost) }
  return Object.fromEntries(Object.entries(all).filter(([, one]) => one !== ''))
}

describe('renamed columns', () => {
  it('are renamed where the new name is free, and done where it is there', () => {
    expect(steps('a x', 'a>b')).toEqual({ left: 'a>b' })
    expect(steps('b x', 'a>b')).toEqual({ done: 'a>b' })
  })

  it('are stuck where another column has the name', () => {
    expect(steps('a b', 'a>b')).toEqual({ stuck: 'a>b' })
  })

  it('are lost where there is neither', () => {
    expect(steps('x', 'a>b')).toEqual({ lost: 'a>b' })
  })

  it('make room for each other, and say how far they came', () => {
    const chain = ['a>b', 'b>c', 'c>d']
    expect(steps('a b c', ...chain)).toEqual({ left: 'c>d b>c a>b' })
    expect(steps('a b d', ...chain)).toEqual({ left: 'b>c a>b', done: 'c>d' })
    expect(steps('a c d', ...chain)).toEqual({ left: 'a>b', done: 'b>c c>d' })
    expect(steps('b c d', ...chain)).toEqual({ done: 'a>b b>c c>d' })
  })

  it('come to the same end from every point between, whatever the order they are told in', () => {
    for (const order of [
      ['a>b', 'b>c', 'x>y'],
      ['b>c', 'x>y', 'a>b'],
      ['x>y', 'b>c', 'a>b'],
    ]) {
      const names = new Set(['a', 'b', 'x', 'other'])
      // Each time only one step is made, and the rest is looked for anew.
      for (let made = 0; made < 3; made += 1) {
        const [next] = renameSteps(renames(...order), names).left
        expect(names.has(next!.to)).toBe(false)
        expect(names.delete(next!.from)).toBe(true)
        names.add(next!.to)
      }
      expect([...names].sort()).toEqual(['b', 'c', 'other', 'y'])
      expect(renameSteps(renames(...order), names).left).toEqual([])
    }
  })

  it('that exchange their names are stuck: half of it would not be known from none of it', () => {
    expect(steps('a b x', 'a>b', 'b>a', 'x>y')).toEqual({ left: 'x>y', stuck: 'a>b b>a' })
  })
})
