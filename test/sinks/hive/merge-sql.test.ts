/** The SQL of an apply, as text. What it does to tables is shown on a real server, in `test/stack/hive`. */
import { describe, expect, it } from 'vitest'
import { nullPartition } from '../../../model/partition-by.ts'
import { appendSql, emptySql, mergeSql, missingSql } from '../../../sinks/hive/merge-sql.ts'
import { dividedInput, plainInput } from './merge-inputs.ts'

const nullKey = { keys: [{ name: 'id', nullable: true }] }

/** Its parts that begin a line, by their first words. */
function partOf(sql: string, start: string): string {
  return sql.split('\n').find(line => line.startsWith(start)) ?? ''
}

describe('the statement for a table without partitions', () => {
  it('replaces or inserts rows that came whole, and leaves alone columns that are not the source’s', () => {
    expect(mergeSql(plainInput({ upserts: 1 }))).toBe(
      [
        'MERGE INTO `shop`.`orders` AS t',
        'USING `changes` AS s',
        'ON t.`id` = s.`id`',
        'WHEN MATCHED THEN UPDATE SET',
        '  `name` = s.`name`,',
        '  `tags` = s.`tags`',
        'WHEN NOT MATCHED THEN INSERT VALUES (s.`id`, s.`name`, s.`tags`, NULL)',
      ].join('\n'),
    )
  })

  it('deletes, and inserts nothing, when a batch has nothing but deletes', () => {
    expect(mergeSql(plainInput({ deletes: 1 }))).toBe(
      [
        'MERGE INTO `shop`.`orders` AS t',
        'USING `changes` AS s',
        'ON t.`id` = s.`id`',
        'WHEN MATCHED AND s.`__forager_op` = 2 THEN DELETE',
      ].join('\n'),
    )
  })

  it('keeps what a patch did not send, and never inserts a row for a delete', () => {
    const unsent = (place: number, column: string): string =>
      `  \`${column}\` = IF(s.\`__forager_op\` = 1 AND substr(s.\`__forager_sent\`, ${place}, 1) = '0', t.\`${column}\`, s.\`${column}\`)`
    expect(mergeSql(plainInput({ patches: 1, deletes: 1 }))).toBe(
      [
        'MERGE INTO `shop`.`orders` AS t',
        'USING `changes` AS s',
        'ON t.`id` = s.`id`',
        'WHEN MATCHED AND s.`__forager_op` = 2 THEN DELETE',
        'WHEN MATCHED AND s.`__forager_op` <> 2 THEN UPDATE SET',
        `${unsent(2, 'name')},`,
        unsent(3, 'tags'),
        'WHEN NOT MATCHED AND s.`__forager_op` <> 2 THEN INSERT VALUES (s.`id`, s.`name`, s.`tags`, NULL)',
      ].join('\n'),
    )
  })

  it('updates nothing of a table that is all key', () => {
    const keys = ['id', 'name', 'tags'].map(name => ({ name, nullable: false }))
    const sql = mergeSql(plainInput({ upserts: 1 }, { keys }))
    expect(sql).not.toContain('WHEN MATCHED')
    expect(partOf(sql, 'ON')).toBe(
      'ON t.`id` = s.`id` AND t.`name` = s.`name` AND t.`tags` = s.`tags`',
    )
  })
})

describe('a key that may be null', () => {
  it('is compared so that null equals null', () => {
    const keys = [...nullKey.keys, { name: 'name', nullable: false }]
    const sql = mergeSql(plainInput({ upserts: 1 }, { keys }))
    expect(partOf(sql, 'ON')).toBe('ON t.`id` <=> s.`id` AND t.`name` = s.`name`')
  })

  it('asks for a row that is there, where every column of it may be', () => {
    const sql = mergeSql(plainInput({ upserts: 1 }, nullKey))
    expect(partOf(sql, 'ON')).toBe('ON t.`id` <=> s.`id` AND t.ROW__ID IS NOT NULL')
    expect(partOf(mergeSql(dividedInput({ patches: 1, places: null }, nullKey)), 'ON')).toBe(
      'ON t.`id` <=> s.`id` AND t.ROW__ID IS NOT NULL AND t.`region` <=> s.`__forager_place`',
    )
  })
})

const given =
  '  SELECT s.`__forager_op` AS `__forager_op`, s.`id` AS `id`, s.`name` AS `name`, s.`tags` AS `tags`, ' +
  's.`__forager_place` AS `__forager_place`\n  FROM `changes` AS s'
const elsewhere =
  '  SELECT CAST(2 AS tinyint) AS `__forager_op`, s.`id` AS `id`, CAST(NULL AS string) AS `name`, ' +
  't.`tags` AS `tags`, t.`region` AS `__forager_place`\n' +
  '  FROM `changes` AS s JOIN `shop`.`orders` AS t ON t.`id` = s.`id`\n' +
  '  WHERE s.`__forager_search` AND (s.`__forager_op` = 2 OR NOT (t.`region` <=> s.`__forager_place`))'
const completed =
  '  SELECT CAST(0 AS tinyint) AS `__forager_op`, s.`id` AS `id`, ' +
  "IF(substr(s.`__forager_sent`, 2, 1) = '0', t.`name`, s.`name`) AS `name`, " +
  "IF(substr(s.`__forager_sent`, 4, 1) = '0', t.`tags`, s.`tags`) AS `tags`, " +
  "IF(substr(s.`__forager_sent`, 3, 1) = '1', s.`__forager_place`, t.`region`) AS `__forager_place`\n" +
  '  FROM `changes` AS s LEFT JOIN `shop`.`orders` AS t ON t.`id` = s.`id`\n' +
  '  WHERE s.`__forager_op` = 1'
const changesWithDeletes = [
  'WHEN MATCHED AND s.`__forager_op` = 2 THEN DELETE',
  'WHEN MATCHED AND s.`__forager_op` <> 2 THEN UPDATE SET',
  '  `name` = s.`name`,',
  '  `tags` = s.`tags`',
  'WHEN NOT MATCHED AND s.`__forager_op` <> 2 THEN INSERT VALUES (s.`id`, s.`name`, s.`tags`, NULL, ' +
    "NULLIF(s.`__forager_place`, '__HIVE_DEFAULT_PARTITION__'))",
]

function statement(parts: readonly string[], on: string): string {
  const head = ['MERGE INTO `shop`.`orders` AS t', 'USING (', parts.join('\n  UNION ALL\n')]
  return [...head, ') AS s', `ON ${on}`, ...changesWithDeletes].join('\n')
}

const samePlace = 't.`id` = s.`id` AND t.`region` <=> s.`__forager_place`'

describe('the statement for a table with partitions', () => {
  it('reads the partitions that the batch names, and no other', () => {
    const sql = mergeSql(dividedInput({ upserts: 2, deletes: 1, places: ['eu', "u's"] }))
    expect(sql).toBe(statement([given], `${samePlace} AND t.\`region\` IN ('eu', 'u\\'s')`))
  })

  it('does not say which partitions when the one of null is among them', () => {
    const sql = mergeSql(dividedInput({ upserts: 2, deletes: 1, places: ['eu', nullPartition] }))
    expect(sql).toBe(statement([given], samePlace))
  })

  it('finds by their key rows that may be anywhere, and takes them from where they are', () => {
    const sql = mergeSql(dividedInput({ upserts: 2, searches: 2, places: null }))
    const known = `${given}\n  WHERE NOT (s.\`__forager_op\` = 2 AND s.\`__forager_search\`)`
    expect(sql).toBe(statement([known, elsewhere], samePlace))
  })

  it('completes a patch from its row, which it takes along to another partition', () => {
    const sql = mergeSql(dividedInput({ patches: 1, searches: 1, places: null }))
    expect(sql).toBe(statement([completed, elsewhere], samePlace))
  })

  it('takes patches from the rows that came whole', () => {
    const sql = mergeSql(dividedInput({ upserts: 1, deletes: 1, patches: 1, places: null }))
    const whole = `${given}\n  WHERE s.\`__forager_op\` <> 1`
    expect(sql).toBe(statement([whole, completed], samePlace))
  })

  it('does not compare a column of the key that is the partition twice', () => {
    const keys = ['id', 'region'].map(name => ({ name, nullable: false }))
    const sql = mergeSql(dividedInput({ upserts: 1, places: null }, { keys }))
    expect(partOf(sql, 'ON')).toBe(`ON ${samePlace}`)
  })
})

describe('a partition that is no text', () => {
  const facts = { upserts: 1, places: ['7', '8'] }

  it('is made of the text of its value; the one of null is null', () => {
    const sql = mergeSql(dividedInput(facts, {}, 'int'))
    expect(sql).toContain(
      "CAST(NULLIF(s.`__forager_place`, '__HIVE_DEFAULT_PARTITION__') AS int) AS `__forager_place`",
    )
    expect(partOf(sql, 'ON')).toBe(
      `ON ${samePlace} AND t.\`region\` IN (CAST('7' AS int), CAST('8' AS int))`,
    )
    expect(partOf(sql, 'WHEN NOT')).toBe(
      'WHEN NOT MATCHED THEN INSERT VALUES (s.`id`, s.`name`, s.`tags`, NULL, s.`__forager_place`)',
    )
  })

  it('that is a short text knows null by the beginning of its name', () => {
    const sql = mergeSql(dividedInput(facts, {}, 'varchar(10)'))
    expect(sql).toContain('CAST(s.`__forager_place` AS varchar(10)) AS `__forager_place`')
    expect(partOf(sql, 'WHEN NOT')).toContain(
      "NULLIF(s.`__forager_place`, CAST('__HIVE_DEFAULT_PARTITION__' AS varchar(10)))",
    )
  })
})

describe('a batch that is all of the table', () => {
  const goes = (place: string, samePlaceToo: string): string =>
    '  SELECT CAST(2 AS tinyint) AS `__forager_op`, t.`id` AS `id`, CAST(NULL AS string) AS `name`, ' +
    `t.\`tags\` AS \`tags\`${place}\n` +
    '  FROM `shop`.`orders` AS t CROSS JOIN (SELECT 1 FROM `changes` WHERE `__forager_op` = 3) AS w\n' +
    `  LEFT JOIN \`changes\` AS s ON s.\`__forager_op\` = 0 AND t.\`id\` = s.\`id\`${samePlaceToo}\n` +
    '  WHERE s.`__forager_op` IS NULL'

  it('lets every other row go, as long as the batch is there', () => {
    const sql = mergeSql(plainInput({ upserts: 1 }, { isWhole: true }))
    expect(sql.split('\n').slice(2, 10).join('\n')).toBe(
      '  SELECT s.`__forager_op` AS `__forager_op`, s.`id` AS `id`, s.`name` AS `name`, s.`tags` AS `tags`\n' +
        '  FROM `changes` AS s\n' +
        '  WHERE s.`__forager_op` <> 3\n' +
        `  UNION ALL\n${goes('', '')}`,
    )
    expect(partOf(sql, 'ON')).toBe('ON t.`id` = s.`id`')
    expect(partOf(sql, 'WHEN MATCHED')).toBe('WHEN MATCHED AND s.`__forager_op` = 2 THEN DELETE')
  })

  it('reads all partitions of the table, and compares rows with their partition', () => {
    const place = ', t.`region` AS `__forager_place`'
    const same = ' AND t.`region` <=> s.`__forager_place`'
    const whole = `${given}\n  WHERE s.\`__forager_op\` <> 3`
    const input = dividedInput({ upserts: 1, places: ['eu'] }, { isWhole: true })
    expect(mergeSql(input)).toBe(statement([whole, goes(place, same)], samePlace))
  })

  it('that has no rows deletes, and that is all', () => {
    const sql = mergeSql(dividedInput({}, { isWhole: true }))
    expect(sql.split('\n').filter(line => line.startsWith('WHEN'))).toEqual([
      'WHEN MATCHED AND s.`__forager_op` = 2 THEN DELETE',
    ])
    expect(sql).not.toContain('UNION ALL')
  })

  it('of which no column is known empties the table, as long as the batch is there', () => {
    expect(emptySql('`shop`.`orders`', '`changes`')).toBe(
      'DELETE FROM `shop`.`orders` WHERE EXISTS (SELECT 1 FROM `changes` AS s WHERE s.`__forager_op` = 3)',
    )
  })
})

describe('rows that are surely new', () => {
  it('are inserted in the order of the table’s columns, the partition last', () => {
    expect(appendSql(plainInput({ upserts: 1 }))).toBe(
      'INSERT INTO `shop`.`orders`\nSELECT s.`id`, s.`name`, s.`tags`, NULL\nFROM `changes` AS s WHERE s.`__forager_op` = 0',
    )
    expect(appendSql(dividedInput({ upserts: 1 }))).toBe(
      'INSERT INTO `shop`.`orders` PARTITION (`region`)\n' +
        'SELECT s.`id`, s.`name`, s.`tags`, NULL, ' +
        "NULLIF(s.`__forager_place`, '__HIVE_DEFAULT_PARTITION__')\n" +
        'FROM `changes` AS s WHERE s.`__forager_op` = 0',
    )
  })
})

describe('rows that take what they lack from the row under their old key', () => {
  const whether = "substr(s.`__forager_sent`, 2, 1) = '0'"

  it('are completed from it, or from their own where it is gone, and are rows like any other then', () => {
    const sql = mergeSql(plainInput({ upserts: 1, moves: 1 }))
    expect(sql).toContain(
      `IF(${whether}, IF(o.\`id\` IS NOT NULL, o.\`name\`, n.\`name\`), s.\`name\`) AS \`name\``,
    )
    expect(sql).toContain('LEFT JOIN `shop`.`orders` AS o ON o.`id` = s.`__forager_from_0`')
    expect(sql).toContain('LEFT JOIN `shop`.`orders` AS n ON n.`id` = s.`id`')
    expect(sql).toContain('WHERE s.`__forager_op` = 4')
    expect(sql).toContain('WHERE s.`__forager_op` <> 4')
    expect(partOf(sql, '  `name`')).toBe('  `name` = s.`name`,')
  })

  it('have patches beside them completed in the same way', () => {
    const sql = mergeSql(plainInput({ patches: 1, moves: 1 }))
    expect(sql).toContain(`IF(${whether}, t.\`name\`, s.\`name\`) AS \`name\``)
    expect(sql).toContain('WHERE s.`__forager_op` <> 1 AND s.`__forager_op` <> 4')
  })

  it('go to the partition that they say', () => {
    const sql = mergeSql(dividedInput({ moves: 1, searches: 1, places: null }))
    expect(sql).toContain('s.`__forager_place` AS `__forager_place`')
    expect(sql.match(/LEFT JOIN/g)).toHaveLength(2)
  })

  it('are counted where there is neither row', () => {
    expect(missingSql(plainInput({ moves: 1 }))).toBe(
      [
        'SELECT count(*)',
        '  FROM `changes` AS s LEFT JOIN `shop`.`orders` AS o ON o.`id` = s.`__forager_from_0`',
        '  LEFT JOIN `shop`.`orders` AS n ON n.`id` = s.`id`',
        '  WHERE s.`__forager_op` = 4 AND o.`id` IS NULL AND n.`id` IS NULL',
      ].join('\n'),
    )
  })
})
