import { describe, expect, it } from 'vitest'
import { parseTableName, quoteName, quoteTable, quoteText } from '../../../sinks/hive/sql-text.ts'

describe('a name', () => {
  it('is quoted in lower case, whatever Hive takes it for elsewhere', () => {
    expect(['Id', 'select', 'größe', 'a b', 'a-b', 'a;b', "a'b"].map(quoteName)).toEqual([
      '`id`',
      '`select`',
      '`größe`',
      '`a b`',
      '`a-b`',
      '`a;b`',
      "`a'b`",
    ])
    expect(quoteName('x'.repeat(128))).toBe(`\`${'x'.repeat(128)}\``)
  })

  it.each(['', 'a`; DROP TABLE t; --', 'a\nb', 'a\0', 'a.b', 'a:b', 'x'.repeat(129)])(
    '%j is refused',
    name => {
      expect(() => quoteName(name)).toThrowError(
        expect.objectContaining({ code: 'name-unsupported' }),
      )
    },
  )
})

describe('a text', () => {
  it.each([
    ['plain', "'plain'"],
    ["it's", "'it\\'s'"],
    ["\\' OR 1 = 1 --", "'\\\\\\' OR 1 = 1 --'"],
    ['a;b', "'a\\;b'"],
    ['a\r\nb', "'a\\r\\nb'"],
    ['\\u0041', "'\\\\u0041'"],
    ['"${x}`', "'\"$\\{x}`'"],
    ['naïve 😀', "'naïve 😀'"],
  ])('%j is the literal %s', (text, literal) => {
    expect(quoteText(text)).toBe(literal)
  })

  it('has its zero in three digits: Hive would read two that follow as a part of it', () => {
    expect(quoteText('\x0012')).toBe("'\\00012'")
  })
})

describe('the name of a table', () => {
  it('is of the database that it names, or of the default one', () => {
    expect(parseTableName('Orders', 'Shop')).toEqual({ database: 'shop', table: 'orders' })
    expect(parseTableName('DW.Orders', 'shop')).toEqual({ database: 'dw', table: 'orders' })
    expect(quoteTable({ database: 'dw', table: 'orders' })).toBe('`dw`.`orders`')
  })

  it.each(['a.b.c', 'a.', '.a', 'a b', 'orders`; DROP TABLE t', 'größe'])('%j is refused', name => {
    expect(() => parseTableName(name, 'shop')).toThrowError(
      expect.objectContaining({ code: 'name-unsupported' }),
    )
  })
})
