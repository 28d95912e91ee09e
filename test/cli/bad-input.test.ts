import { mkdir, rename, rm } from 'node:fs/promises'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { nodeFileSystem } from '../../runtime/file-system.ts'
import { configText, inFolder, type Program } from './program.ts'
import type { Field, Recorded } from './recorded.ts'
import { changeLine, fileOf, goodLines, keyText, record } from './recorded.ts'

/** The tables of a run that nothing disturbed. */
const undisturbed = {
  'ods.user': [
    '[["id",1],["name","name 1"]]',
    '[["id",2],["name","changed"]]',
    '[["id",4],["name","name 4"]]',
    '[["id",5],["name","name 5"]]',
    '[["id",6],["name","name 6"]]',
  ],
}

/** The same without row 4, whose message is the bad one. */
const withoutRow4 = { 'ods.user': undisturbed['ods.user'].filter(row => !row.includes('4')) }

interface BadMessage {
  readonly what: string
  readonly bad: Recorded | string
  readonly code: string
  readonly says: readonly string[]
}

const geometry: readonly Field[] = [
  { field: 'id', type: 'int32', optional: false },
  { field: 'name', type: 'string', optional: true },
  { field: 'shape', type: 'oid', name: 'some.vendor.Shape', optional: true },
]
const good = changeLine(4, 'c', 4, '{"id":4,"name":"name 4"}')
const place = ['topic s.demo.user', 'partition 0', 'offset 4']
const line = 'events.jsonl, line 4'

const badMessages: readonly BadMessage[] = [
  {
    what: 'that is not JSON',
    bad: record(4, keyText(4), '{"schema": nonsense\nand more'),
    code: 'message-not-json',
    says: ['the message is not JSON: {"schema": nonsense and more', ...place, line],
  },
  {
    what: 'that is JSON of no known form',
    bad: record(4, keyText(4), '{"id": 4}'),
    code: 'message-unknown',
    says: [...place, line],
  },
  {
    what: 'without a key',
    bad: { ...good, key: null },
    code: 'key-missing',
    says: [...place, 'table demo.user'],
  },
  {
    what: 'of an unknown operation',
    bad: changeLine(4, 'x', 4, '{"id":4,"name":"name 4"}'),
    code: 'op-unknown',
    says: [...place, line, '"x"'],
  },
  {
    what: 'whose key lacks a column',
    bad: { ...good, key: keyText(4).replaceAll('"id"', '"other"') },
    code: 'key-column-missing',
    says: [...place, line, 'table demo.user', 'column other'],
  },
  {
    what: 'with a type that Hive has no equal for',
    bad: changeLine(4, 'c', 4, '{"id":4,"name":"name 4","shape":{}}', geometry),
    code: 'type-unsupported',
    says: [...place, line, 'table demo.user', 'column shape'],
  },
  {
    what: 'with a value that does not fit its type',
    bad: changeLine(4, 'c', 4, '{"id":4,"name":{"a":1}}'),
    code: 'value-invalid',
    says: [...place, line, 'table demo.user', 'column name'],
  },
  {
    what: 'that is a line of another form',
    bad: '{"topic":"s.demo.user","partition":0',
    code: 'source-line-invalid',
    says: ['line 4 of', line],
  },
]

function linesWith(bad: Recorded | string): (Recorded | string)[] {
  return goodLines().map(line => (line.offset === 4 ? bad : line))
}

async function prepare(program: Program, lines: readonly (Recorded | string)[], more = '') {
  await program.write('forager.yaml', configText({ more }))
  await program.write('events.jsonl', fileOf(lines))
}

describe.each(badMessages)('a message $what', ({ bad, code, says }) => {
  it('stops the run with where it is and what to do; when it is mended nothing is lost', async () => {
    await inFolder(async program => {
      await prepare(program, linesWith(bad))
      const { error } = await program.runHere()
      expect(error).toContain(line)
      expect(error).toMatch(/^[^\n]+ \[[a-z-]+\]\. [^\n]+\.$/)
      for (const text of [`[${code}]`, ...says]) expect(error).toContain(text)
      await program.write('events.jsonl', fileOf(goodLines()))
      expect(await program.runHere()).toMatchObject({ error: null, warnings: [] })
      expect(await program.tables()).toEqual(undisturbed)
    })
  })

  it('is passed over by the policy to skip, told and counted', async () => {
    await inFolder(async program => {
      await prepare(program, linesWith(bad), 'onError: skip')
      const { error, warnings, summary } = await program.runHere()
      expect(error).toBeNull()
      expect(summary).toContain(`Skipped: 1 bad message (${code}).`)
      expect(warnings).toHaveLength(1)
      expect(warnings[0]).not.toContain('onError: skip')
      expect(warnings[0]).toMatch(/^WARN {2}message\.skipped reason="[^\n]*"$/)
      for (const text of [`[${code}]`, ...says]) {
        expect(warnings[0]).toContain(JSON.stringify(text).slice(1, -1))
      }
      expect(await program.tables()).toEqual(withoutRow4)
    })
  })
})

describe('a bad message, as the program tells of it,', () => {
  it('is one line and exit code 1; skipped it is a warning, and counted in the summary', async () => {
    await inFolder(async program => {
      const { bad, code } = badMessages[0]!
      await prepare(program, linesWith(bad))
      const failed = await program.run(['run', 'forager.yaml'])
      expect([failed.code, failed.stdout]).toEqual([1, ''])
      expect(failed.stderr).toMatch(/^error: the message is not JSON: [^\n]+\n$/)
      await program.write('forager.yaml', configText({ more: 'onError: skip' }))
      const skipped = await program.run(['run', 'forager.yaml'])
      expect(skipped.code).toBe(0)
      expect(skipped.stderr).toMatch(/^WARN {2}message\.skipped reason="[^\n]+"\n$/)
      expect(skipped.stdout).toContain(`Skipped: 1 bad message (${code}).`)
      expect(await program.tables()).toEqual(withoutRow4)
    })
  })
})

describe('a file of events', () => {
  it('that is truncated stops the run; when it is whole again the run completes', async () => {
    await inFolder(async program => {
      await program.write('forager.yaml', configText().replace('events.jsonl', 'events.jsonl.gz'))
      const packed = gzipSync(fileOf(goodLines()))
      await program.write('events.jsonl.gz', packed.subarray(0, -30))
      const failed = await program.run(['run', 'forager.yaml'])
      expect([failed.code, failed.stdout]).toEqual([1, ''])
      expect(failed.stderr).toMatch(
        /^error: cannot unpack [^\n]*events\.jsonl\.gz: unexpected end of file \(\d whole records come before\) [^\n]*\[source-unreadable\]\. Mend the file and run again; [^\n]*\n$/,
      )
      expect(await program.tables()).toEqual({})
      await program.write('events.jsonl.gz', packed)
      expect(await program.runHere()).toMatchObject({ error: null })
      expect(await program.tables()).toEqual(undisturbed)
    })
  })

  it('that is missing is a problem of the configuration, with its line', async () => {
    await inFolder(async program => {
      await program.write('forager.yaml', configText())
      const failed = await program.run(['run', 'forager.yaml'])
      expect([failed.code, failed.stdout]).toEqual([2, ''])
      const path = program.path('events.jsonl')
      expect(failed.stderr).toBe(
        `error: the configuration is wrong:\n  forager.yaml:2: source.path: ${path} does not exist\n`,
      )
      await program.write('events.jsonl', fileOf(goodLines()))
      expect(await program.runHere()).toMatchObject({ error: null })
      expect(await program.tables()).toEqual(undisturbed)
    })
  })

  it('that grew is read from where the last run ended', async () => {
    await inFolder(async program => {
      await prepare(program, goodLines().slice(0, 4))
      await program.runHere()
      await program.write('events.jsonl', fileOf(goodLines()))
      const { error, summary } = await program.runHere()
      expect([error, summary.slice(0, 15)]).toEqual([null, '5 records read:'])
      expect(await program.tables()).toEqual(undisturbed)
    })
  })

  it('that was replaced by another one stops the run, and changes nothing', async () => {
    await inFolder(async program => {
      await prepare(program, goodLines())
      await program.runHere()
      const others = [...goodLines().slice(0, -1), record(9, keyText(99), null)]
      await program.write('events.jsonl', fileOf(others))
      const { error } = await program.runHere()
      expect(error).toMatch(/^the record at offset 9 is not the one that was processed /)
      for (const text of ['topic s.demo.user', 'partition 0', '[source-replaced]', 'Restore it']) {
        expect(error).toContain(text)
      }
      expect(await program.tables()).toEqual(undisturbed)
    })
  })

  it('of several partitions is read from each of them', async () => {
    await inFolder(async program => {
      await prepare(program, goodLines())
      const source = ', repartitionInto: 3'
      await program.write('forager.yaml', configText({ source }))
      expect(await program.runHere()).toMatchObject({ error: null })
      expect(await program.tables()).toEqual(undisturbed)
    })
  })
})

describe('a disk', () => {
  it('on which a file stands where the state should be stops the run', async () => {
    const path = '.forager'
    await inFolder(async program => {
      await prepare(program, goodLines())
      await program.write(path, '')
      const failed = await program.run(['run', 'forager.yaml'])
      expect([failed.code, failed.stdout]).toEqual([1, ''])
      expect(failed.stderr).toMatch(
        /^error: cannot create [^\n]*: a part of the path is not a folder [^\n]*\[storage-failed\]\. Mend the cause and run again; nothing is lost\.\n$/m,
      )
      expect(failed.stderr).toContain(program.path(path))
      await rm(program.path(path))
      expect(await program.runHere()).toMatchObject({ error: null })
      expect(await program.tables()).toEqual(undisturbed)
    })
  })

  it('that takes no more of a file stops the run, and no row is lost', async () => {
    await inFolder(async program => {
      const rows = Array.from({ length: 400 }, (_, index) =>
        changeLine(
          index,
          'c',
          index,
          JSON.stringify({ id: index, name: `${index * 7919} ${index}` }),
        ),
      )
      await prepare(program, rows, 'window: { maxRows: 100 }')
      // The shell counts in blocks of 512 bytes or of 1 KiB.
      const shell = 'ulimit -f 4; exec "$@"'
      const failed = await program.run(['run', 'forager.yaml'], { shell })
      expect([failed.code, failed.stdout]).toEqual([1, ''])
      expect(failed.stderr).toMatch(
        /^error: cannot write [^\n]*the file would be larger than is allowed/m,
      )
      expect(failed.stderr).toMatch(
        /\[storage-failed\]\. Mend the cause and run again; nothing is lost\.\n$/,
      )
      expect(await program.runHere()).toMatchObject({ error: null })
      expect((await program.tables())['ods.user']).toHaveLength(400)
    })
  })

  it('whose state another process uses stops the run, and says which', async () => {
    await inFolder(async program => {
      await prepare(program, goodLines())
      await mkdir(program.path('.forager/shop/log'), { recursive: true })
      const lock = await nodeFileSystem.lock(program.path('.forager/shop/log/lock'))
      const failed = await program.run(['run', 'forager.yaml'])
      expect(failed.code).toBe(1)
      expect(failed.stderr).toMatch(
        new RegExp(
          `^error: process ${process.pid} holds .*\\[state-locked\\]\\. Stop the other process`,
        ),
      )
      await lock.release()
      expect(await program.runHere()).toMatchObject({ error: null })
      expect(await program.tables()).toEqual(undisturbed)
    })
  })

  it('from which the warehouse was removed stops the next run, and so does a removed state', async () => {
    await inFolder(async program => {
      await prepare(program, goodLines())
      await program.runHere()
      await rename(program.path('warehouse'), program.path('kept'))
      expect((await program.runHere()).error).toMatch(
        /\(table ods\.user\) \[warehouse-behind\]\. .*remove the state folder too, /,
      )
      await rename(program.path('kept'), program.path('warehouse'))
      await rm(program.path('.forager'), { recursive: true })
      expect((await program.runHere()).error).toMatch(
        /\(table ods\.user\) \[warehouse-ahead\]\. .*restore it as it was .*Or another application .*may be removed/,
      )
      for (const name of ['warehouse', '.forager'])
        await rm(program.path(name), { recursive: true })
      expect(await program.runHere()).toMatchObject({ error: null })
      expect(await program.tables()).toEqual(undisturbed)
    })
  })
})
