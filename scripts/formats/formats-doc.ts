/**
 * `docs/formats.md`: what is said of each format by hand, what the code says of it (positions, changed keys,
 * registry), and what it loses, from the list that the conformance suite holds it against.
 */
import type { FormatName } from '../../cli/formats.ts'
import { formatNames, formats, needRegistry } from '../../cli/formats.ts'
import type { FormatLoss } from './format-losses.ts'
import { formatLosses } from './format-losses.ts'
import { formatNotes } from './format-notes.ts'

export function formatsDoc(): string {
  return `# Formats

\`source.format\` says what the messages are. Each format is one file that turns bytes into change events, and runs one
conformance suite: the same program of SQL, written as its tool writes it, ends in the same tables through 1, 3 and 8
partitions, with blocks sent again. What a format itself loses is listed below; the suite fails when one of these no
longer shows, and when there is another.

${overview()}

- **Position**: whether an event has a place in the source's log that compares. With it repeats are dropped and
  \`ordering: position\` can be had; without it a block that is sent again is applied again, in its order, and ends as it
  did.
- **A changed key** over several partitions needs both halves in order: Debezium sends two messages, each with its key;
  the others send one, through the partition of the new key.

${formatNames.map(section).join('\n')}`
}

function overview(): string {
  const rows = formatNames.map(name => {
    const { hasPositions, movesKeys = false } = formats[name]({ registry: null })
    const { changedKeys, unsent, truncates } = formatNotes[name]
    const cells = [
      `[\`${name}\`](#${name})`,
      hasPositions ? 'yes' : 'no',
      changedKeys,
      truncates,
      unsent,
      needRegistry.includes(name) ? 'needed' : name === 'auto' ? 'for Avro' : '',
      movesKeys || !hasPositions
        ? `${movesKeys ? 'no `keyedBy`' : ''}${movesKeys && !hasPositions ? ', ' : ''}${hasPositions ? '' : 'no `ordering: position`'}`
        : '',
    ]
    return `| ${cells.join(' | ')} |`
  })
  return `| format | position | a changed key | truncates | values that were not sent | registry | does not go with |
|---|---|---|---|---|---|---|
${rows.join('\n')}`
}

function section(name: FormatName): string {
  const { what, example, config, keys, notes, cost } = formatNotes[name]
  const parts = [
    `## ${name}`,
    what,
    ...(example === undefined ? [] : [`\`\`\`json\n${example}\n\`\`\``]),
    `\`\`\`yaml\n${config}\n\`\`\``,
    `**Keys and partitions.** ${keys}`,
    notes.map(note => `- ${note}`).join('\n'),
    ...(cost === undefined ? [] : [`**Cost.** ${cost}`]),
    ...(name === 'auto' ? [] : [`**What it loses.**\n\n${lossTable(formatLosses[name])}`]),
  ]
  return `${parts.join('\n\n')}\n`
}

/** In the words of the suite's table: its columns are in `test/conformance/program.ts`. */
function lossTable(losses: readonly FormatLoss[]): string {
  const rows = losses.map(loss => `| ${lossText(loss)} | ${loss.why} |`)
  return `| what | why, and what to do |\n|---|---|\n${rows.join('\n')}`
}

/** What the columns of the suite are in MySQL. */
export const columnTypes: Readonly<Record<string, string>> = {
  id: 'INT',
  tiny: 'TINYINT',
  truth: 'TINYINT(1)',
  small: 'SMALLINT',
  medium: 'MEDIUMINT',
  n: 'INT',
  utiny: 'TINYINT UNSIGNED',
  ubig: 'BIGINT UNSIGNED',
  ratio: 'DOUBLE',
  raw: 'VARBINARY(16)',
  day: 'DATE',
  at: 'DATETIME(6)',
  changed: 'TIMESTAMP(6)',
  spent: 'TIME(6)',
}

function lossText(loss: FormatLoss): string {
  if (loss.kind === 'changed key') {
    const where = loss.partitions === 'any' ? '' : ' of a topic with several partitions'
    return `a changed key${where} is refused (\`${loss.code}\`)`
  }
  const type = columnTypes[loss.column] ?? loss.column
  if (loss.kind === 'type') return `\`${type}\` is \`${loss.instead}\``
  return `\`${type}\`: \`${loss.from}\` is \`${loss.instead}\``
}
