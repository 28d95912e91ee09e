/** What is printed, logged, counted and kept of names and texts that come from messages. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatTable } from '../../cli/output.ts'
import { letterHeaders, replayedOffset } from '../../model/dead-letter.ts'
import { DecodeError } from '../../model/errors.ts'
import { keepSecret, withoutSecrets } from '../../model/secrets.ts'
import { shownLine, shownText } from '../../model/shown-text.ts'
import { jsonLogger, textLogger } from '../../observe/logger.ts'
import { PrometheusMetrics } from '../../observe/prometheus.ts'
import { anyName } from './hostile-names.ts'

/** What a terminal obeys, or shows in another order. */
const commands = /[\p{Cc}\u200e\u200f\u2028-\u202e\u2066-\u2069]/u

describe('what people are shown of a name', () => {
  it('is one line in an error, without commands for the terminal', () => {
    fc.assert(
      fc.property(anyName, name => {
        const error = new DecodeError('type-unknown', `the type of ${name} is not known`, {
          context: { table: name, column: name },
        })
        expect(error.describe()).not.toMatch(commands)
        expect(error.describe().length).toBeLessThan(10_000)
      }),
      { numRuns: 500 },
    )
  })

  it('is one line in a log, for people and for machines, which read it back', () => {
    fc.assert(
      fc.property(anyName, name => {
        const written: string[] = []
        const write = (line: string): void => void written.push(line)
        for (const logger of [textLogger(write), jsonLogger(write, () => 0)]) {
          logger.warn('table.refused', { table: name, reason: new Error(name) })
        }
        for (const line of written) expect(line).not.toMatch(commands)
        const read = JSON.parse(written[1]!) as { table: string; reason: string }
        expect([read.table, read.reason]).toEqual([name, name])
      }),
      { numRuns: 500 },
    )
  })

  it('is one row in a table', () => {
    fc.assert(
      fc.property(anyName, name => {
        const lines = formatTable(['table', 'rows'], [[name, 1]])
          .trimEnd()
          .split('\n')
        expect(lines).toHaveLength(5)
        for (const line of lines) expect(line).not.toMatch(commands)
      }),
      { numRuns: 300 },
    )
  })

  it('is the same text within JSON, and lines stay lines', () => {
    fc.assert(
      fc.property(anyName, name => {
        expect(JSON.parse(shownText(JSON.stringify({ name })))).toEqual({ name })
      }),
    )
    expect(shownText('a\tb\nc\u001b[2J\r')).toBe('a\tb\nc\\u001b[2J\\u000d')
    expect(shownLine('a\r\n b\u009b', 100)).toBe('a b\\u009b')
  })
})

describe('the label of a metric', () => {
  it('stays in its quotes, and its line', async () => {
    for (const name of fc.sample(anyName, 300)) {
      const metrics = new PrometheusMetrics('shop')
      metrics.count('forager_events_total', 7, { table: name })
      const text = await metrics.text()
      const lines = text.split('\n').filter(line => line.startsWith('forager_events_total'))
      expect(lines).toHaveLength(1)
      const label =
        /^forager_events_total\{table="((?:[^"\\\n]|\\[\\"n])*)",application="shop"\} 7$/
      const found = label.exec(lines[0]!)?.[1]
      const read = found?.replaceAll(/\\(.)/g, (_, char: string) => (char === 'n' ? '\n' : char))
      expect(read).toBe(name)
    }
  })
})

describe('a dead letter', () => {
  const at = { topic: 't', partition: 0, offset: 5, timestampMs: 0, key: null, value: null }
  const crossing = { key: 'forager.replayed.offset', value: Buffer.from('3') }

  it('does not cross out another one, whatever headers its message had', () => {
    const record = { ...at, headers: [crossing] }
    const failure = {
      error: new DecodeError('key-missing', 'no key'),
      table: 'demo.user',
      source: 's',
      task: '0_0',
      failedAtMs: 0,
      ordering: 'position',
    } as const
    expect(replayedOffset(record)).toBe(3)
    expect(replayedOffset({ ...record, headers: letterHeaders(record, failure) })).toBeNull()
  })
})

describe('a secret', () => {
  it('is in no message, alone, in a URL and beside others', () => {
    keepSecret('correct/horse')
    keepSecret('correct/horse/battery')
    expect(withoutSecrets('a correct/horse/battery correct%2Fhorse!')).toBe('a *** ***!')
    expect(new DecodeError('key-missing', 'it said correct/horse').message).toBe('it said ***')
    expect(shownText('{"a":"correct/horse"}')).toBe('{"a":"***"}')
  })

  it('of a few letters would be found in any word', () => {
    keepSecret('user')
    expect(withoutSecrets('demo.user')).toBe('demo.user')
  })
})
