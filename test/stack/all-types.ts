/**
 * Tables of every common type for MariaDB and PostgreSQL, with the ends of their ranges, and keys whose order
 * depends on who compares them. Years before 100 are left out: Debezium's connector of MariaDB takes them for
 * two digits of a year (`enable.time.adjuster`).
 */
import type { DatabaseKind } from './hive/databases.ts'

const mariadbSchema = [
  `CREATE TABLE @S@.types (id BIGINT UNSIGNED PRIMARY KEY, ti TINYINT, tiu TINYINT UNSIGNED, si SMALLINT UNSIGNED,
    mi MEDIUMINT, i INT UNSIGNED, flag TINYINT(1), b1 BIT(1), b12 BIT(12), d DECIMAL(20,4), d65 DECIMAL(65,10),
    f FLOAT, db DOUBLE, c CHAR(5), vc VARCHAR(20), vb VARBINARY(10), bn BINARY(4), bl BLOB, tx TEXT,
    dt DATE, dtm DATETIME, dtm3 DATETIME(3), dtm6 DATETIME(6), ts TIMESTAMP(6) NULL, t TIME(6), y YEAR,
    e ENUM('a','b c'), s SET('x','y'), j JSON, u UUID, zero DATE, zeroes DATETIME NOT NULL)`,
  `SET sql_mode = ''`,
  `SET time_zone = '+00:00'`,
  `INSERT INTO @S@.types VALUES
    (1, -128, 255, 65535, -8388608, 4294967295, 1, b'1', b'101', -1234567890123456.7891, 12345678901234567890.5,
      1.5, 1e300, 'ab', 'ab ', x'00ff', x'0100', x'', '📱 \\\\ "q"', '0100-01-01', '2024-02-29 12:00:00',
      '1500-01-01 00:00:00.123', '9999-12-31 23:59:59.999999', '2024-01-01 00:00:00.000001', '-838:59:59.5', 2024,
      'b c', 'x,y', '{"b": 1, "a": [1.50]}', '123e4567-e89b-12d3-a456-426614174000', '0000-00-00', '0000-00-00'),
    (18446744073709551615, 0, 0, 0, 0, 0, 0, b'0', b'0', 0, 0, 0, -0.0, '', '', '', '', NULL, '', '1970-01-01',
      '1970-01-01 00:00:00', '1970-01-01 00:00:00.001', '1969-12-31 00:00:00.5', '2038-01-19 03:14:07', '00:00:00', 1901,
      'a', '', '[]', '00000000-0000-0000-0000-000000000000', '2020-01-01', '2020-01-01'),
    (9223372036854775808, ${'NULL, '.repeat(30)}'2020-01-01')`,
  `CREATE TABLE @S@.words (word VARCHAR(50) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin, n INT, v VARCHAR(10), PRIMARY KEY (word, n))`,
  `INSERT INTO @S@.words VALUES ('a', 1, 'x'), ('a ', 1, 'x'), ('a', -2, 'x'), ('B', 10, 'x'), ('b', 9, 'x'), ('ä', 1, 'x'),
    ('', 1, 'x'), ('😀', 1, 'x'), ('\uFF5E', 1, 'x'), ('a\\tb', 1, 'x')`,
]

const postgresSchema = [
  `CREATE TYPE @S@.mood AS ENUM ('sad', 'glad')`,
  `CREATE TABLE @S@.types (id NUMERIC(12,2) PRIMARY KEY, b BOOL, i2 INT2, i8 INT8, o OID, f4 FLOAT4, f8 FLOAT8,
    n NUMERIC(20,4), nn NUMERIC, n40 NUMERIC(40,2), m MONEY, c CHAR(5), vc VARCHAR(20), tx TEXT, by BYTEA, d DATE,
    ts3 TIMESTAMP(3), ts TIMESTAMP, tz TIMESTAMPTZ, t TIME, ttz TIMETZ, iv INTERVAL, u UUID, j JSON, jb JSONB, ip INET,
    b1 BIT(1), b5 BIT(5), v9 VARBIT(9), texts TEXT[], ints INT4[], sums NUMERIC(10,2)[], feel @S@.mood, r INT4RANGE,
    x XML)`,
  `INSERT INTO @S@.types VALUES
    (1.5, true, -32768, -9223372036854775808, 4294967295, 1.1, 'NaN', 12.3400, 1.50, 12345678901234567890.10, '1234.50',
      'ab', 'ab ', '📱 \\ "q"', '\\x00ff', '0001-01-01', '2024-02-29 12:00:00.123', '9999-12-31 23:59:59.999999',
      '2024-01-01 00:00:00.000001+02', '12:30:00.5', '12:30:00+02', '1 year 2 mons 3 days 04:05:06.5',
      '123e4567-e89b-12d3-a456-426614174000', '{"b": 1,  "a": 2}', '{"b": 1,  "a": 2}', '10.0.0.1/8', B'1', B'00101',
      B'101', '{a,NULL,"b c"}', '{1,-2}', '{1.50}', 'glad', '[1,5)', '<a>1</a>'),
    (-2, false, 0, 0, 0, '-Infinity', -0.0, 0, 0, 0, '-0.01', '', '', '', '', '1970-01-01', '1970-01-01', '1969-12-31 00:00:00.5',
      '1960-06-01 00:00:00+00', '00:00:00', '00:00:00+00', '-1 day', '00000000-0000-0000-0000-000000000000', 'null', '{}',
      '::1', B'0', B'00000', B'', '{}', '{}', '{}', 'sad', 'empty', ''),
    (10${', NULL'.repeat(34)})`,
  `CREATE TABLE @S@.words (word VARCHAR(50), n INT, v VARCHAR(10), PRIMARY KEY (word, n))`,
  `INSERT INTO @S@.words VALUES ('a', 1, 'x'), ('a ', 1, 'x'), ('a', -2, 'x'), ('B', 10, 'x'), ('b', 9, 'x'), ('ä', 1, 'x'),
    ('', 1, 'x'), ('😀', 1, 'x'), ('\uFF5E', 1, 'x'), (E'a\\tb', 1, 'x')`,
]

/** `@S@` stands for the schema. */
export const allTypes: Readonly<Record<DatabaseKind, readonly string[]>> = {
  mariadb: mariadbSchema,
  postgres: postgresSchema,
}
