/** What `docs/types.md` says beside its tables. */

export const beforeTables = `# Types

From the database's type, in each way that the connector may send it, to the one that Forager keeps, to the
column of the table in Hive, and what values become. Every cell of these tables is what the program does with
the value that stands there.

- **As** is the type in the embedded schema, with the name of Debezium's logical type or of Connect's own. Avro
  has bytes where JSON has base64; nothing else is different.
- **Sent with** is the setting of the connector under which it comes so. A form without one is that of the
  default, \`adaptive\` or \`adaptive_time_microseconds\`.
- Without embedded schemas the types of MySQL's and MariaDB's columns are those of the schema-change events, and
  the same values become the same, except where the last column says otherwise. The settings that messages do
  not tell are stated under \`source.connector\`. Every other database needs its types stated
  ([\`columns.types\`](#what-columnstypes-takes)).
- \`forager rows\` shows a time of day as \`HH:MM:SS[.ffffff]\`, an interval in microseconds, \`bit(1)\` as a
  boolean and \`bit(n)\` as a text of 0 and 1, decimals as text at the column's scale, bytes in base64, a year as a
  number and lists as JSON.`

export const mysqlNotes = `An embedded schema says \`int64\` of an unsigned \`BIGINT\` in the mode \`long\`, and nothing of its sign: what is
above 2^63 stays negative until \`columns.types: { id: ubigint }\` says what it is. Without schemas the
schema-change events say it.`

export const textNotes = `The same columns as Debezium's, so that the same change gives the same row. canal sends every value as text, with
the type of its column. Maxwell sends JSON's own values; the types are those of its schema changes
(\`source.connector.ddl_kafka_topic\`), where sizes are missing, or stated; what is neither is inferred: boolean, bigint,
decimal(p,s) or text, and a number in a column that became text has no trailing zeros. A key never becomes text: state
its type. Hive's columns widen with it (\`schemaChanges.widen\`), but for a boolean, which cannot become text there: state
its type too, or the table is held back.`

export const mongodb = `## MongoDB

A document becomes a row of its top-level fields, whose types are inferred unless they are stated; \`_id\` is the key. Whole
numbers are \`bigint\`; doubles and decimals are decimals of their exact digits, and text where 38 digits do not hold
them; dates are \`timestamptz\`, bytes \`binary\`, ids and texts \`string\`. Nested documents, lists and what has no equal
are JSON text.`

export const statedNotes = `Forager's words for types, Hive's and some more. A stated type says as what a column is kept; how its values are
written is told by the schema, where there is one. Without a schema every form is taken that cannot be mistaken,
by the settings under \`source.connector\` where those are stated; else \`value-ambiguous\`.

- \`timestamp(p)\` and \`time(p)\`: in the mode \`adaptive\` a number counts milliseconds up to 3 digits, microseconds
  up to 6, nanoseconds beyond. In the other modes the digits do not matter.
- \`interval\`: microseconds, or ISO 8601 (\`P1Y2M3DT4H5M6.789S\`). A month is 30.4375 days, a twelfth of 365.25, as
  it is to Debezium itself.
- \`ubigint\` and \`decimal(20,0)\`: a whole number below 0 is an unsigned one that was written as a \`long\`, unless
  \`bigint.unsigned.handling.mode\` is \`precise\`.
- \`decimal(p,s)\` of a column with more digits, or with a scale in each value: exact, and an error where a value has
  more digits than the column. \`string\`: the exact number as text.
- \`fail\`: the column must be null; every value is an error (\`value-invalid\`). For types that Hive has no equal for,
  like decimals beyond 38 digits, where neither text nor \`decimal(38,s)\` is wanted.`

export const afterTables = `## Extreme values

| of the source | arrives as | is written as | is counted as |
|---|---|---|---|
| zero date of MySQL | null, or the epoch where the column is NOT NULL; \`structured\`: a struct with month or day 0 | what arrives; of the struct, and of canal's and Maxwell's \`0000-00-00\`, null | \`forager_values_replaced_total\`, reason \`zero_date\`, where Forager made it null; what the connector replaced looks like any other value |
| infinity of PostgreSQL | a number beyond the calendar, or the word | Hive's last moment \`9999-12-31 23:59:59.999999\` or day, or its first, \`0001-01-01\`: they compare as infinity does | \`forager_values_replaced_total\`, reason \`infinity\` |
| years before 1 and after 9999 | a number, or ISO 8601 with a sign | as they are, to the microsecond; Hive documents years from 1 to 9999 only; \`string\` keeps them as text | a row like others |
| a day that no calendar has | a number before 4713 BC or after 5874897 | nothing: \`value-invalid\` | a bad message |
| NaN and infinity of a float | text | as they are | a row like others |
| NaN and infinity of a decimal | null (\`precise\`), text, or a double | null, the text, or the double; in a column that is stated as a decimal nothing: \`value-invalid\` | a row like others (null is the connector's own), or a bad message |
| the upper half of unsigned \`BIGINT\` | a negative number (\`long\`) | the number that it is, where the column is known to be unsigned; else the negative one | a row like others |
| decimals beyond 38 digits | bytes, or text | the exact number as text, unless \`columns.types\` says \`decimal(38,s)\` or \`fail\` | a row like others; a number that the stated column cannot hold is a bad message |
| nanoseconds | a number, or digits | cut to the microsecond that has begun | a row like others |
| a value that was not sent (TOAST, LOB) | the placeholder in the type's form: text, bytes, a list, a map, a place | nothing: the table keeps what it has | a row like others |

A bad message is counted, and stops the program or not, as \`onError\` says ([bad-messages.md](bad-messages.md)). To
keep what has no equal as text, state \`string\` for the column. \`fail\` refuses every value of a column: no one
reads it by mistake.

The placeholder is only looked for in updates: an insert has every value. \`unavailable.value.placeholder\` says
what it is, with \`hex:\` as bytes. A list of booleans has it as one \`true\` for each of its bytes: a list that
really is so counts as not sent.

## Instants

A \`timestamptz\` is a moment; in Hive it is a \`timestamp\` that shows that moment in UTC. Hive's own
\`timestamp with local time zone\` cannot be used: Hive 4.0.1 writes such a column to ORC and cannot read it back
([ADR 15](adr/0015-instants-are-timestamps-in-hive.md)). A query that wants local time says
\`from_utc_timestamp(at, 'Europe/Berlin')\`. In the embedded warehouse the column is an instant. A time of day with a
zone is that of UTC.

## What Hive cannot hold

- **A partition cannot be empty.** Hive knows null and the empty text of a partition column as one: null.
- **Names** are of one case; a column's has no \`.\`, \`:\`, backtick or control character and at most 128 characters, and
  does not begin with \`__forager_\` (\`name-unsupported\`).
- **Comments** of columns are cut after 256 characters, as long as a metastore in MySQL takes them.
- **Decimals** have 38 digits at most: what has more is text.
- **Timestamps** have microseconds here; those of the last second before 1970 are read a second later
  ([orc.md](orc.md#where-implementations-disagree)).
- **A time of day** is text: Hive has no such type. **Maps, structs and geometry** are JSON text, with their members
  in order and every digit of their integers.
- **Columns that change**: what becomes wider, and which values old rows have then, is in
  [hive.md](hive.md#when-the-sources-columns-change). What cannot be read anew in place holds the table back.
`
