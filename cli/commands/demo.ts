/**
 * `npm start`: the shop. Three tables of a MariaDB, as Debezium recorded them, are snapshotted,
 * changed, get new columns and lose rows; the result is shown as a person wants to see it.
 */
import { dirname, join, relative, resolve } from 'node:path'
import { plainText } from '../../model/value-text.ts'
import { nodeFileSystem, writeWholeFile } from '../../runtime/file-system.ts'
import type { EmbeddedTable } from '../../sinks/embedded/table-reader.ts'
import { warehousePath } from '../application.ts'
import { loadConfig } from '../config.ts'
import { formatTable, plural } from '../output.ts'
import { runCommand } from './run.ts'
import { openTables } from './tables.ts'

const maxRowsShown = 10

export async function demoCommand(folder: string): Promise<number> {
  const example = resolve(dirname(import.meta.filename), '../../examples/shop')
  await nodeFileSystem.remove(folder)
  await nodeFileSystem.makeDirectory(folder)
  for (const name of ['forager.yaml', 'events.jsonl.gz']) {
    const bytes = await nodeFileSystem.readFile(join(example, name))
    await writeWholeFile(nodeFileSystem, join(folder, name), bytes)
  }
  process.stdout.write(
    'The shop: tables user, product and user_order of a MariaDB, as Debezium recorded them.\n\n',
  )
  const config = join(folder, 'forager.yaml')
  const loaded = await loadConfig(nodeFileSystem, config)
  await runCommand(loaded, { log: 'warn', quiet: false })
  for (const table of await openTables(loaded)) process.stdout.write(await showTable(table))
  const files = relative(process.cwd(), warehousePath(loaded))
  const yaml = relative(process.cwd(), config)
  process.stdout.write(
    `\nThe tables are ORC files in ${files}. Try next:\n\n` +
      `  npx forager tables ${yaml}\n` +
      `  npx forager rows ${yaml} ods.user\n` +
      `  npx forager rows ${yaml} ods.user_order --with-meta\n` +
      `  npx forager describe ${yaml}\n\n` +
      `Then change ${yaml} (a key it does not know, a wrong type) and ask: npx forager check ${yaml}\n`,
  )
  return 0
}

async function showTable({ commit, schema, rowCount, rows }: EmbeddedTable): Promise<string> {
  const shown: string[][] = []
  for await (const part of rows()) {
    for (const row of part) {
      if (shown.length >= maxRowsShown) break
      shown.push(
        schema.columns.map(({ type }, index) => {
          const value = row.values[index]
          return value === null ? 'null' : plainText(type, value)
        }),
      )
    }
  }
  const head = schema.columns.map(({ name }) => name)
  return `\n${commit.table}, ${plural(rowCount, 'row')}\n${formatTable(head, shown)}`
}
