import { readFile } from 'node:fs/promises'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { inTemporaryFolder } from '../log/logs.ts'
import type { Outcome } from './program.ts'
import { fixtures, Program } from './program.ts'

const smallest = `applicationId: shop
source: { type: file, path: events.jsonl.gz, format: debezium-json }   # say, m1_json_schema_true.jsonl, gzipped
tables:
  - { from: "demo.*", to: "ods.{table}" }         # database.table; schema.table for PostgreSQL
warehouse: { type: embedded, path: ./warehouse }
window: { maxAge: 5s, maxRows: 500000, maxBytes: 64MiB }
`

/** The smallest configuration over recorded events, run once and then again. */
let program: Program
let first: Outcome
let second: Outcome
let leave: () => void = () => undefined

beforeAll(async () => {
  await new Promise<void>((resolve, reject) => {
    inTemporaryFolder(async folder => {
      program = new Program(folder)
      const events = await readFile(`${fixtures}/mariadb/m1_json_schema_true.jsonl`)
      await program.write('events.jsonl.gz', gzipSync(events))
      await program.write('forager.yaml', smallest)
      first = await program.run(['run', 'forager.yaml'])
      second = await program.run(['run', 'forager.yaml'])
      resolve()
      await new Promise<void>(left => {
        leave = left
      })
    }).catch(reject)
  })
})

afterAll(() => leave())

function jsonLines(text: string): Record<string, unknown>[] {
  return text.split('\n').flatMap(line => (line === '' ? [] : [JSON.parse(line) as never]))
}

describe('forager run', () => {
  it('reads recorded events to their end, and says what it did', () => {
    expect(first.code).toBe(0)
    expect(first.stdout).toContain('217 records read: 57 change events in, 42 net changes out')
    expect(first.stdout).toMatch(/│ ods\.user\s+│\s+14 │\s+7 │\s+5 │\s+0 │\s+0 │/)
    expect(first.stdout).toContain(
      'Refused: 8 events of demo.op_log, which has no primary key. Name its key columns with `key`.',
    )
    expect(first.stderr.split('\n').sort()).toEqual([
      '',
      // The source renamed it and dropped it, and its mode keeps it.
      expect.stringMatching(/^WARN {2}table\.kept table=ods\.late_table .* mode=lenient /),
      expect.stringMatching(/^WARN {2}table\.kept table=ods\.later_table .* mode=lenient /),
      expect.stringMatching(/^WARN {2}table\.refused table=demo\.op_log reason=".*"$/),
    ])
  })

  it('that is run again does nothing, and says so', async () => {
    expect(second).toEqual({
      code: 0,
      stdout: 'Nothing new: no record was read, and no table changed.\n',
      stderr: '',
    })
  })
})

describe('forager tables', () => {
  it('lists the tables, and those that were refused', async () => {
    const { code, stdout, stderr } = await program.run(['tables', 'forager.yaml'])
    expect([code, stderr]).toEqual([0, ''])
    const names = [...stdout.matchAll(/│ (ods\.\w+)/g)].map(match => match[1] ?? '')
    expect(names).toEqual(names.toSorted())
    expect(names).toHaveLength(11)
    expect(stdout).toMatch(
      /│ ods\.wide_gbk\s+│\s+2 │\s+1 │ \d+ B\s+│\s+│ id int, v string, l string/,
    )
    expect(stdout).toContain('Refused: demo.op_log has no primary key.')
    expect(stdout).toContain('…')
    const wide = await program.run(['tables', 'forager.yaml', '--wide'])
    expect(wide.code).toBe(0)
    expect(wide.stdout).not.toContain('…')
    expect(wide.stdout).toMatch(
      /│ ods\.user .*│ id bigint, name string, .*, mail string, .*, vip smallint +│\n/,
    )
  })
})

describe('forager rows', () => {
  /** What the database said, but for what the events do not hold: see the README of the fixtures. */
  const exceptions: Readonly<Record<string, readonly string[]>> = {
    product: ['on_sale'],
  }

  it.each(['user', 'product', 'edge_time'])(
    'prints the rows of %s as the database had them, in key order',
    async name => {
      const { code, stdout, stderr } = await program.run(['rows', 'forager.yaml', `ods.${name}`])
      expect([code, stderr]).toEqual([0, ''])
      const final = await readFile(`${fixtures}/mariadb/final/demo.${name}.jsonl`, 'utf8')
      const rows = jsonLines(stdout)
      const expected = jsonLines(final)
      expect(rows).toHaveLength(expected.length)
      for (const [index, row] of expected.entries()) {
        const left = new Set(exceptions[name])
        for (const [column, value] of Object.entries(row)) {
          if (!left.has(column)) expect(sameTime(rows[index]![column], value)).toBe(true)
        }
      }
    },
  )

  /** The database pads the fraction of a second; `rows` leaves trailing zeros out. */
  function sameTime(found: unknown, value: unknown): boolean {
    const isTime = typeof value === 'string' && /:\d\d:\d\d\.\d+$/.test(value)
    expect(found).toEqual(isTime ? value.replace(/\.?0+$/, '') : value)
    return true
  }

  it('prints with --with-meta where each row was changed last', async () => {
    const plain = await program.run(['rows', 'forager.yaml', 'ods.order_item'])
    const { code, stdout } = await program.run([
      'rows',
      'forager.yaml',
      'ods.order_item',
      '--with-meta',
    ])
    expect(code).toBe(0)
    const [rows, plainRows] = [jsonLines(stdout), jsonLines(plain.stdout)]
    expect(rows).toHaveLength(plainRows.length)
    for (const [index, row] of rows.entries()) {
      expect(row).toMatchObject(plainRows[index]!)
      expect(Object.keys(row).slice(-2)).toEqual(['_forager_position', '_forager_source_time'])
      expect(row._forager_position).toMatch(/^mysql-bin\.000001:\d+:\d+@3307$/)
      expect(row._forager_source_time).toMatch(/^2026-11-21 \d\d:\d\d:\d\d(\.\d{1,6})?$/)
    }
    expect(Object.keys(plainRows[0]!)).not.toContain('_forager_position')
  })

  it('ends quietly when its reader does', async () => {
    const shell = '"$@" | head -n 1'
    const { code, stdout, stderr } = await program.run(['rows', 'forager.yaml', 'ods.user'], {
      shell,
    })
    expect([code, stderr]).toEqual([0, ''])
    expect(jsonLines(stdout)).toHaveLength(1)
  })

  it.runIf(process.platform === 'linux')('that cannot be written fail in one line', async () => {
    const shell = '"$@" > /dev/full'
    const { code, stderr } = await program.run(['rows', 'forager.yaml', 'ods.user'], { shell })
    expect(code).toBe(1)
    expect(stderr).toMatch(/^error: cannot write to standard output: ENOSPC.*\n$/)
  })

  it('of a table that is not there says what lists them', async () => {
    const { code, stdout, stderr } = await program.run(['rows', 'forager.yaml', 'ods.nothing'])
    expect([code, stdout]).toEqual([1, ''])
    expect(stderr).toMatch(
      /^error: there is no table ods\.nothing .*`forager tables CONFIG` lists the tables\.\n$/,
    )
  })
})

describe('forager rows of a table that is not there', () => {
  it('names the nearest one', async () => {
    const { code, stderr } = await program.run(['rows', 'forager.yaml', 'ods.usr'])
    expect(code).toBe(1)
    expect(stderr).toContain('there is no table ods.usr; did you mean "ods.user"?')
    expect(stderr).toContain('[table-not-found]')
  })
})

describe('forager describe', () => {
  it('prints the topology in the form of Kafka Streams', async () => {
    const { code, stdout, stderr } = await program.run(['describe', 'forager.yaml'])
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout).toMatch(/^Topologies:\n {3}Sub-topology: 0\n {4}Source: .+ \(topics: \.\*\)\n/)
    for (const topic of ['shop-rows-repartition', 'shop-tables-staged']) {
      expect(stdout).toContain(topic)
    }
  })
})

describe('forager check', () => {
  it('says that a configuration is right', async () => {
    const { code, stdout, stderr } = await program.run(['check', 'forager.yaml'])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toBe('forager.yaml is right: file events.jsonl.gz, 1 table rule.\n')
  })

  it('and every other command end with 2 when it is wrong, with every problem and its line', async () => {
    await program.write('wrong.yaml', smallest.replace('maxRows', 'maxRow').replace('5s', '5'))
    const problems = [
      'wrong.yaml:6: unknown key window.maxRow; did you mean "maxRows"?',
      'wrong.yaml:6: window.maxAge must be a duration with its unit, like 5s (units: ms, s, m, h)',
    ]
    const checked = await program.run(['check', 'wrong.yaml'])
    expect([checked.code, checked.stderr]).toEqual([2, ''])
    expect(checked.stdout.trimEnd().split('\n').sort()).toEqual(problems)
    for (const args of [['run'], ['rows', 'ods.user']]) {
      const [command, ...rest] = args
      const { code, stdout, stderr } = await program.run([command!, 'wrong.yaml', ...rest])
      expect([code, stdout]).toEqual([2, ''])
      const [head, ...lines] = stderr.trimEnd().split('\n')
      expect(head).toBe('error: the configuration is wrong:')
      expect(lines.map(line => line.trim()).sort()).toEqual(problems)
    }
  })
})

describe('forager orc', () => {
  async function dataFile(): Promise<string> {
    const { stdout } = await program.run([], { shell: 'ls warehouse/ods/user/data/*.orc' })
    return stdout.trim()
  }

  it('meta prints schema and statistics of a file, and rows its rows', async () => {
    const path = await dataFile()
    const meta = await program.run(['orc', 'meta', path])
    expect([meta.code, meta.stderr]).toEqual([0, ''])
    expect(JSON.parse(meta.stdout)).toMatchObject({ rowCount: 5 })
    expect(meta.stdout).toContain('_forager_position')
    const rows = await program.run(['orc', 'rows', path])
    const shown = await program.run(['rows', 'forager.yaml', 'ods.user', '--with-meta'])
    expect(rows).toEqual(shown)
  })

  it('of what is no ORC file says so in one line', async () => {
    const good = await readFile(program.path(await dataFile()))
    await program.write('cut.orc', good.subarray(0, -40))
    await program.write('noise.orc', Buffer.from(good).fill(0x55, 3, good.length - 250))
    for (const [path, why] of [
      ['cut.orc', 'is not a readable ORC file'],
      ['noise.orc', 'is not a readable ORC file'],
      ['missing.orc', 'there is no file missing.orc'],
      ['warehouse', 'warehouse is a folder, not a file'],
    ]) {
      const { code, stdout, stderr } = await program.run(['orc', 'rows', path!])
      expect([code, stdout], path).toEqual([1, ''])
      expect(stderr).toMatch(/^error: [^\n]*\n$/)
      expect(stderr).toContain(why)
      expect(stderr).toContain(path)
    }
  })
})

describe('the command line', () => {
  it.each([
    [['bogus'], "error: unknown command 'bogus'"],
    [['run', 'forager.yaml', '--log', 'all'], 'Allowed choices are json, info, warn'],
    [['rows', 'forager.yaml'], "error: missing required argument 'table'"],
  ])('%j is told what is wrong, and where help is', async (args, expected) => {
    const { code, stdout, stderr } = await program.run(args)
    expect([code, stdout]).toEqual([1, ''])
    expect(stderr).toContain(expected)
    expect(stderr).toContain('forager --help')
  })

  it('has a version, which is that of the package', async () => {
    const text = await readFile(`${import.meta.dirname}/../../package.json`, 'utf8')
    const { version } = JSON.parse(text) as { version: string }
    const outcome = await program.run(['--version'])
    expect(outcome).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' })
  })

  it('has help, which is no failure', async () => {
    const { code, stdout, stderr } = await program.run(['--help'])
    expect([code, stderr]).toEqual([0, ''])
    for (const command of ['run', 'tables', 'rows', 'describe', 'check', 'orc', 'demo']) {
      expect(stdout).toMatch(new RegExp(`^  ${command} `, 'm'))
    }
  })
})
