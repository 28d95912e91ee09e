/** `docs/check.md`: what `forager check` says of a source, from the list of its problems. */
import { sourceProblems } from '../cli/connect/source-problems.ts'

const levels = { error: '**error**', warning: 'warning', note: 'note' } as const

function rowsFrom(source: 'database' | 'connect' | 'events'): string {
  const rows = Object.entries(sourceProblems)
    .filter(([, { from }]) => from === source)
    .map(([code, { level, lost, advice }]) => {
      return `| \`${code}\` | ${levels[level]} | ${sentence(lost)} | ${advice} |`
    })
  return ['| code | | what is lost | what to do |', '|---|---|---|---|', ...rows].join('\n')
}

function sentence(text: string): string {
  return `${text[0]!.toUpperCase()}${text.slice(1)}.`
}

export function checkDoc(): string {
  return `# What a source loses

Some settings of a source lose changes or values before Forager sees them, and no error tells. \`forager check CONFIG --connect\`
looks for them: in the database when the configuration has \`source.database\`, in the messages, and with \`--kafka-connect URL\` in
Debezium's connectors. It only reads, joins no group of consumers and commits nothing.

A line says what was seen, what is lost by it, and what to do. An **error** (\`WRONG\`) makes tables wrong or ends a run, and the
exit code is 1; a warning (\`warn\`) loses what it says and a \`note\` is worth knowing: neither changes the exit code.

## From the database

MariaDB and MySQL are asked for their global settings, which a session can have set otherwise; PostgreSQL for its settings and
the \`REPLICA IDENTITY\` of every table that a rule takes. Reading is enough.

${rowsFrom('database')}

## From Kafka Connect

With \`--kafka-connect http://connect:8083\` Debezium's connectors that write to topics of the source are looked at, by Connect's
REST interface (\`http://name:password@…\` where it wants a user). Settings of the worker are not told there.

${rowsFrom('connect')}

## From the messages

A hundred of the oldest and a hundred of the newest messages of each partition are read (at most 200 topics, eight partitions
each, 256 KiB each time; of a file likewise). They tell less than who made them: what is not in them is not seen. A line that the
database answers better is left out when it was asked.

${rowsFrom('events')}
`
}
