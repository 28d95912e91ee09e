import { describe, expect, it } from 'vitest'
import { backFillSql, backFillText, countSql } from '../../../sinks/hive/back-fill.ts'
import { readOrcRows } from '../../../sinks/orc-files.ts'
import { column } from '../embedded/changes.ts'
import { AttemptSite, first } from './attempts.ts'

const phone = column('Phone', 'varchar(20)', { initialDefault: "'; DROP" })
const at = column('at', 'timestamptz', { initialDefault: 1_700_000_000_000_001 })

describe('the defaults of new columns', () => {
  it('are set in rows that have no value, from the one row of the attempt', () => {
    expect(backFillSql('`shop`.`user`', '`forager_changes_5`', [phone, at])).toBe(
      [
        'MERGE INTO `shop`.`user` AS t',
        'USING `forager_changes_5` AS s',
        'ON t.`phone` IS NULL OR t.`at` IS NULL',
        'WHEN MATCHED THEN UPDATE SET',
        '  `phone` = coalesce(t.`phone`, s.`phone`),',
        '  `at` = coalesce(t.`at`, s.`at`)',
      ].join('\n'),
    )
    expect(backFillSql('`shop`.`user`', '`c`', [phone])).toContain('  `phone` = s.`phone`')
  })

  it('are looked for by how many values there are', () => {
    expect(countSql('`shop`.`user`', [phone, at])).toBe(
      'SELECT count(`phone`), count(`at`) FROM `shop`.`user`',
    )
  })

  it('are told to people on one line', () => {
    const text = column('t', 'string', { initialDefault: 'a\nDROP TABLE x' })
    expect(backFillText('`shop`.`user`', [text, at])).toBe(
      '-- rows of `shop`.`user` that are there get t = a DROP TABLE x, at = 2023-11-14 22:13:20.000001',
    )
  })

  it('lie in a file of the attempt, with instants as Hive reads them', async () => {
    const site = new AttemptSite()
    const written = await site.attempts.writeDefaults(first, [phone, at])
    expect(written.rowCount).toBe(1)
    const rows: unknown[] = []
    for await (const part of readOrcRows(site.files, written.file)) rows.push(...part)
    expect(rows).toEqual([["'; DROP", 1_700_000_000_000_001]])
    expect(await site.attempts.isWhole(written)).toBe(true)
    await site.attempts.sweep({ ...first, token: first.token + 1 })
    expect(await site.attempts.isWhole(written)).toBe(false)
  })
})
