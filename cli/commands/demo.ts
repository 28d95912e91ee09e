/**
 * `npm start`: the shop. Three tables of a MariaDB, as Debezium recorded them, are snapshotted,
 * changed, get new columns and lose rows; the result is shown as a person wants to see it.
 */
import { dirname, join, relative, resolve } from 'node:path'
import { plainText } from '../../model/value-text.ts'
import { nodeFileSystem, writeWholeFile } from '../../runtime/file-system.ts'
import type { EmbeddedTable } from '../../sinks/embedded/table-reader.ts'
import { loadConfig } from '../config.ts'
import { formatTable, plural, writeOut } from '../output.ts'
import { UsageError } from '../usage-error.ts'
import { warehousePath } from '../warehouse.ts'
import { runCommand } from './run.ts'
import { openTables } from './tables.ts'

const maxRowsShown = 10

/** Marks a folder as the demo's, and holds the configuration that it wrote. */
const marker = '.forager-demo'

export async function demoCommand(folder: string): Promise<number> {
  const isEdited = await prepareFolder(folder)
  if (isEdited) {
    process.stdout.write(
      `${join(folder, 'forager.yaml')} was changed: it is run as it is. Remove it to get the first one back.\n`,
    )
  }
  process.stdout.write(
    'The shop: tables user, product and user_order of a MariaDB, as Debezium recorded them.\n\n',
  )
  const config = join(folder, 'forager.yaml')
  const loaded = await loadConfig(nodeFileSystem, config)
  const code = await runCommand(loaded, { log: 'warn', quiet: false })
  if (code !== 0) return code
  for (const table of await openTables(loaded)) await writeOut(await showTable(table))
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

/**
 * The example, without the tables and the state of the last time. Nothing is removed from a folder that
 * the demo did not make, and nothing but what it made. True when its configuration was edited since.
 */
async function prepareFolder(folder: string): Promise<boolean> {
  const example = resolve(dirname(import.meta.filename), '../../examples/shop')
  const isOurs = (await nodeFileSystem.stat(join(folder, marker))) !== null
  const found = await nodeFileSystem.stat(folder)
  if (found?.isDirectory === false) throw new UsageError(`${folder} is a file, not a folder`)
  if (!isOurs && (await nodeFileSystem.list(folder)).length > 0) {
    throw new UsageError(
      `${folder} is not empty, and the demo did not make it: name a folder that is empty or not there`,
    )
  }
  await nodeFileSystem.makeDirectory(folder)
  const read = (path: string): Promise<Buffer> => nodeFileSystem.readFile(path)
  const write = (name: string, bytes: Buffer): Promise<void> =>
    writeWholeFile(nodeFileSystem, join(folder, name), bytes)
  const config = join(folder, 'forager.yaml')
  const isThere = isOurs && (await nodeFileSystem.stat(config)) !== null
  const isEdited = isThere && !(await read(config)).equals(await read(join(folder, marker)))
  const wanted = await read(join(example, 'forager.yaml'))
  if (!isEdited) {
    await write(marker, wanted)
    await write('forager.yaml', wanted)
  }
  await write('events.jsonl.gz', await read(join(example, 'events.jsonl.gz')))
  for (const name of ['warehouse', '.forager']) await nodeFileSystem.remove(join(folder, name))
  return isEdited
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
