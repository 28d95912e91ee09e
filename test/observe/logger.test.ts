import { describe, expect, it } from 'vitest'
import { jsonLogger, silentLogger, textLogger } from '../../observe/logger.ts'

const levels = ['debug', 'info', 'warn', 'error'] as const

function lines(make: (write: (line: string) => void) => ReturnType<typeof textLogger>) {
  const written: string[] = []
  return { logger: make(line => void written.push(line)), written }
}

describe('the text logger', () => {
  it('quotes what would break a line apart, and nothing else', () => {
    const { logger, written } = lines(write => textLogger(write))
    logger.warn('table.refused', {
      table: 'demo.op_log',
      reason: 'it says "no"\nand ends',
      empty: '',
      rows: 18446744073709551615n,
      cause: new Error('the disk is full'),
      at: null,
    })
    expect(written).toEqual([
      'WARN  table.refused table=demo.op_log reason="it says \\"no\\"\\nand ends" empty= ' +
        'rows=18446744073709551615 cause="the disk is full" at=null',
    ])
  })

  it.each(levels)('from %s on writes that level and what is worse', least => {
    const { logger, written } = lines(write => textLogger(write, least))
    for (const level of levels) logger[level](`a.${level}`)
    const expected = levels.slice(levels.indexOf(least)).map(level => `a.${level}`)
    expect(written.map(line => line.split(/ +/)[1])).toEqual(expected)
  })
})

describe('the JSON logger', () => {
  it('writes an object a line, with time, level and event', () => {
    const { logger, written } = lines(write => jsonLogger(write, () => 1_767_225_600_123))
    logger.info('batch.applied', {
      table: 'ods.user',
      rows: 2n ** 64n,
      cause: new Error('no'),
      nested: { deep: [1n] },
    })
    expect(written.map(line => JSON.parse(line) as unknown)).toEqual([
      {
        time: '2026-01-01T00:00:00.123Z',
        level: 'info',
        event: 'batch.applied',
        table: 'ods.user',
        rows: '18446744073709551616',
        cause: 'no',
        nested: { deep: ['1'] },
      },
    ])
    expect(written[0]).not.toContain('\n')
  })
})

describe('the silent logger', () => {
  it('has every method', () => {
    for (const level of levels) expect(silentLogger[level]('event')).toBeUndefined()
  })
})
