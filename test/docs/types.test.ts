import { describe, expect, it } from 'vitest'
import { logicalTypeNames } from '../../formats/debezium/connect-schema.ts'
import { databaseConverter, databaseTypeNames } from '../../formats/mysql/debezium-column-types.ts'
import { columnTypeText } from '../../model/column-type.ts'
import { columnOf, mysqlTypes } from '../../scripts/types/mysql-types.ts'
import { db2Types, oracleTypes, sqlServerTypes } from '../../scripts/types/other-types.ts'
import { postgresTypes } from '../../scripts/types/postgres-types.ts'
import { settingsOf } from '../../scripts/types/type-rows.ts'
import { typesDoc } from '../../scripts/types/types-doc.ts'

const all = [...mysqlTypes, ...postgresTypes, ...sqlServerTypes, ...oracleTypes, ...db2Types]

/** Names that MySQL takes for others. */
const synonyms = [
  'BOOL',
  'INT1',
  'INT2',
  'INT3',
  'INT4',
  'INT8',
  'MIDDLEINT',
  'INTEGER',
  'DEC',
  'FLOAT4',
  'FLOAT8',
  'CHARACTER',
  'NATIONAL',
  'NCHAR',
  'NVARCHAR',
  'LONG',
]

describe('docs/types.md', () => {
  it('has a row for each logical type that is read', () => {
    const shown = new Set(all.flatMap(({ forms }) => forms.map(({ schema }) => schema.name)))
    const items = all.flatMap(({ forms }) => forms.map(({ schema }) => schema.items?.name))
    const names = logicalTypeNames.filter(name => !shown.has(name) && !items.includes(name))
    // No connector is known to send it.
    expect(names).toEqual(['io.debezium.time.NanoDuration'])
  })

  it('has types in one row that are read as one', () => {
    for (const { types, forms } of mysqlTypes) {
      for (const form of forms) {
        const read = types.map(type => {
          const column = { name: 'c', ...columnOf(type) }
          return columnTypeText(databaseConverter(column, settingsOf(form)).type)
        })
        expect(new Set(read).size, types.join()).toBe(1)
      }
    }
  })

  it('has a row for each type of MySQL that is read', () => {
    const shown = mysqlTypes.flatMap(({ types }) => types.map(type => /^[A-Z0-9]+/.exec(type)![0]))
    expect(databaseTypeNames.filter(name => !shown.includes(name)).toSorted()).toEqual(
      synonyms.toSorted(),
    )
  })

  it('says what values become: exact, or an error, and the same with schemas and without', () => {
    const text = typesDoc()
    for (const part of [
      '18446744073709551615: `-1` → `-1` | `ubigint`; 18446744073709551615: `-1` → `18446744073709551615`',
      '`9223372036854775807` → `9223372036854775807`',
      '-838:59:59: `-3020399000000` → `-838:59:59`',
      'what no database has: `-2000000000` → error `value-invalid`',
      'infinity: `9223372036825200000` → `9999-12-31 23:59:59.999999`',
      '`"P1Y2M3DT4H5M6.789S"` → `37091106789000`',
    ]) {
      expect(text).toContain(part)
    }
  })

  it('writes zero dates and infinity in every form that has them', () => {
    const cells = typesDoc().matchAll(
      /(?<what>zero date|-?infinity)[^:;|]*: `[^`]*` → (?<written>[^;|]*)/g,
    )
    const written = [...cells].map(({ groups }) => `${groups!.what} ${groups!.written!.trim()}`)
    expect(written.length).toBeGreaterThan(15)
    expect(written.filter(one => one.includes('error'))).toEqual([])
  })
})
