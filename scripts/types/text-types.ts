/** Values of MySQL and MariaDB as canal and Maxwell write them: samples by the type of the column. */
import type { SampleValue } from './type-rows.ts'
import { named } from './type-rows.ts'

export interface TextTypeRow {
  /** As canal has them in `mysqlType`, and Maxwell in its schema changes. */
  readonly types: readonly string[]
  readonly canal: readonly SampleValue[]
  readonly maxwell: readonly SampleValue[]
}

const zeroDate = named('zero date', '0000-00-00')
const zeroTime = named('zero date', '0000-00-00 00:00:00')

export const textTypes: readonly TextTypeRow[] = [
  { types: ['tinyint', 'smallint'], canal: ['-128'], maxwell: [-128] },
  { types: ['int unsigned', 'bigint'], canal: ['4294967295'], maxwell: [4_294_967_295] },
  {
    types: ['bigint unsigned'],
    canal: ['18446744073709551615', '-1'],
    maxwell: [18_446_744_073_709_551_615n, -1],
  },
  { types: ['decimal(12,2)'], canal: ['1.50'], maxwell: [1.5] },
  { types: ['decimal(65,2)'], canal: ['1.50'], maxwell: [1.5] },
  { types: ['float'], canal: ['0.1'], maxwell: [0.1] },
  { types: ['double'], canal: ['0.1'], maxwell: [0.1] },
  { types: ['char(3)', 'varchar(40)', 'text'], canal: ['中 😀'], maxwell: ['中 😀'] },
  { types: ["enum('a','b')"], canal: ['2'], maxwell: ['b'] },
  { types: ["set('a','b')"], canal: ['3'], maxwell: [['a', 'b']] },
  { types: ['json'], canal: ['{"n":1}'], maxwell: [{ n: 1 }] },
  { types: ['varbinary(4)', 'blob'], canal: ['\u0000\u00ff'], maxwell: ['AP8='] },
  { types: ['bit(1)'], canal: ['1'], maxwell: [1] },
  { types: ['bit(8)'], canal: ['129'], maxwell: [129] },
  { types: ['date'], canal: ['2024-02-29', zeroDate], maxwell: ['2024-02-29', zeroDate] },
  { types: ['time(6)'], canal: ['-838:59:59'], maxwell: ['12:34:56.789012'] },
  {
    types: ['datetime(6)'],
    canal: ['2024-02-29 12:34:56.789012', zeroTime],
    maxwell: ['2024-02-29 12:34:56.789012', zeroTime],
  },
  {
    types: ['timestamp(6)'],
    canal: ['2024-02-29 12:34:56.789012', zeroTime],
    maxwell: ['2024-02-29 12:34:56.789012', zeroTime],
  },
  { types: ['year'], canal: ['2024'], maxwell: [2024] },
]
