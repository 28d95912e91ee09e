/** The shop of three tables, for MariaDB and PostgreSQL: how its columns are written as text on both sides. */
import type { DatabaseKind } from './databases.ts'
import type { SiteColumn, SiteTable } from './site.ts'

export const text = (kind: DatabaseKind, name: string): SiteColumn => ({
  name,
  inSource: kind === 'mariadb' ? `CAST(${name} AS CHAR)` : `${name}::text`,
  inHive: `CAST(\`${name}\` AS string)`,
})

/** Of a column that says the partition: Hive shows the name of the default partition for null. */
export const place = (kind: DatabaseKind, name: string): SiteColumn => ({
  ...text(kind, name),
  inHive: `NULLIF(CAST(\`${name}\` AS string), '__HIVE_DEFAULT_PARTITION__')`,
})

/** A date and time to the microsecond. */
export const time = (kind: DatabaseKind, name: string): SiteColumn => ({
  name,
  inSource:
    kind === 'mariadb'
      ? `DATE_FORMAT(${name}, '%Y-%m-%d %H:%i:%s.%f')`
      : `to_char(${name}, 'YYYY-MM-DD HH24:MI:SS.US')`,
  inHive: `concat(date_format(\`${name}\`, 'yyyy-MM-dd HH:mm:ss.SSS'), substr(rpad(regexp_extract(CAST(\`${name}\` AS string), '[.]([0-9]+)', 1), 6, '0'), 4, 3))`,
})

export function shopTables(kind: DatabaseKind): readonly SiteTable[] {
  const columns = (...names: string[]): SiteColumn[] => names.map(name => text(kind, name))
  return [
    {
      name: 'user',
      columns: [...columns('id', 'name'), place(kind, 'sex'), time(kind, 'create_time')],
    },
    { name: 'product', columns: columns('id', 'name', 'price', 'stock') },
    {
      name: 'user_order',
      columns: [...columns('id', 'user_id', 'product_id', 'amount'), time(kind, 'create_time')],
    },
  ]
}

/** `@S@` stands for the schema. */
export function shopSchema(kind: DatabaseKind): readonly string[] {
  const [time6, q] = kind === 'mariadb' ? ['DATETIME(6)', '`'] : ['TIMESTAMP(6)', '"']
  return [
    `CREATE TABLE @S@.${q}user${q} (id BIGINT PRIMARY KEY, name VARCHAR(50), sex CHAR(1), create_time ${time6} NOT NULL)`,
    'CREATE TABLE @S@.product (id INT PRIMARY KEY, name VARCHAR(80) NOT NULL, price DECIMAL(10,2), stock INT)',
    `CREATE TABLE @S@.user_order (id BIGINT PRIMARY KEY, user_id BIGINT, product_id INT, amount DECIMAL(12,2), create_time ${time6} NOT NULL)`,
  ]
}
