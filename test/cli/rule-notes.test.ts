import { writeFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import type { Program } from './program.ts'
import { configText, inFolder } from './program.ts'
import { changeLine, fileOf, goodLines, keyText } from './recorded.ts'

const withoutKey = (offset: number) => {
  const row = JSON.stringify({ id: offset, name: `${offset}` })
  const line = changeLine(offset, 'c', offset, row)
  const value = line.value!.replace('"table":"user"', '"table":"log"')
  return { ...line, topic: 's.demo.log', key: null, value }
}

/** Writes the configuration with these rules. */
async function rules(program: Program, ...lines: readonly string[]): Promise<void> {
  const text = configText().replace(/ {2}- .*/, lines.map(line => `  - ${line}`).join('\n'))
  await program.write('forager.yaml', text)
}

async function run(program: Program) {
  const { code, stdout, stderr } = await program.run(['run', 'forager.yaml'])
  return { code, said: stdout.split('\n'), warned: stderr.split('\n').filter(Boolean) }
}

const events = (name: string) => new RegExp(`^WARN {2}${name.replaceAll('.', '\\.')} reason=".*"$`)

describe('a rule that names a table exactly', () => {
  it('and matched nothing is told with the nearest name, and so is that nothing is read again', async () => {
    await inFolder(async program => {
      await program.write('events.jsonl', fileOf(goodLines()))
      await rules(program, '{ from: demo.usr, to: ods.user }')
      const first = await run(program)
      expect(first.code).toBe(0)
      expect(first.warned).toEqual([expect.stringMatching(events('rule.unmatched'))])
      const unmatched = first.said.filter(line => line.startsWith('No event'))
      expect(unmatched).toEqual([
        'No event of demo.usr was seen; nearest: demo.user. If that is meant, correct `from`; events ' +
          'that were passed over are not read again. To have them, read the source from its beginning: ' +
          `remove the state folder (${program.path('.forager/shop')}) and the tables that it filled, or ` +
          'name a new applicationId and new targets.',
      ])
      // The rule is corrected, and the events were passed over: said by each command until they are there.
      await rules(program, '{ from: demo.user, to: ods.user }')
      const second = await run(program)
      expect(second.code).toBe(0)
      expect(second.warned).toEqual([expect.stringMatching(events('events.not-read'))])
      const notRead =
        'Earlier runs read events of demo.user that were passed over, as no rule named it: they are ' +
        'not read again.'
      expect(second.said.filter(line => line.startsWith(notRead))).toHaveLength(1)
      const tables = await program.run(['tables', 'forager.yaml'])
      expect(tables.stdout).toContain(notRead)
      // What was advised helps.
      await rules(program, '{ from: demo.user, to: ods.user }')
      await program.write(
        'forager.yaml',
        configText().replace('applicationId: shop', 'applicationId: shop2'),
      )
      expect(await run(program)).toMatchObject({ code: 0, warned: [] })
      expect((await program.tables())['ods.user']).toHaveLength(5)
    })
  })
})

describe('a rule with a pattern', () => {
  it('that matched nothing is told where a near name is known, and else may wait for its tables', async () => {
    await inFolder(async program => {
      await program.write('events.jsonl', fileOf(goodLines()))
      await rules(
        program,
        '{ from: "dmeo.*", to: "ods.{table}" }',
        '{ from: "elsewhere.*", to: "far.{table}" }',
      )
      const { code, said, warned } = await run(program)
      expect(code).toBe(0)
      expect(warned).toEqual([expect.stringMatching(events('rule.unmatched'))])
      const told = said.filter(line => line.startsWith('No event'))
      expect(told).toEqual([
        expect.stringContaining(
          'No event of dmeo.* was seen; nearest: demo.*. If that is meant, correct',
        ),
      ])
    })
  })
})

describe('a format that was corrected', () => {
  it('is told with what to do, as what was read is not read again', async () => {
    await inFolder(async program => {
      // A message without rows in the one format, and a row in the other.
      const row = '{"status":"x","id":7,"event_count":null,"data_collections":null,"ts_ms":5}'
      const line = { ...goodLines()[0]!, value: row }
      await program.write('events.jsonl', fileOf([line]))
      const named = (format: string) =>
        program.write('forager.yaml', configText().replace('debezium-json', format))
      await named('debezium-json')
      expect(await run(program)).toMatchObject({ code: 0, warned: [] })
      await named('maxwell-json')
      const { code, said, warned } = await run(program)
      expect(code).toBe(0)
      expect(warned).toEqual([expect.stringMatching(events('format.changed'))])
      expect(said[0]).toBe('Nothing new: no record was read, and no table changed.')
      expect(said[1]).toContain(
        'Earlier runs read the source as debezium-json, and now it is maxwell-json: what they read is ' +
          'not read again. To have them, read the source from its beginning',
      )
      await named('auto')
      expect((await run(program)).warned).toEqual([])
    })
  })
})

describe('a topic of schema changes that is named', () => {
  it('and is not there is told: types come from the values alone', async () => {
    await inFolder(async program => {
      const value =
        '{"database":"demo","table":"user","type":"insert","ts":1,"xid":1,"commit":true,"data":{"id":1}}'
      const key = '{"database":"demo","table":"user","pk.id":1}'
      const line = { ...goodLines()[0]!, topic: 'maxwell', key, value }
      const ddl = { ...line, topic: 'maxwell_ddl', key: null, value: '{"type":"database-create"}' }
      await program.write('events.jsonl', fileOf([line, ddl]))
      const named = (topic: string) => {
        const text = configText({ source: `, connector: { ddl_kafka_topic: ${topic} }` })
        return program.write('forager.yaml', text.replace('debezium-json', 'maxwell-json'))
      }
      await named('maxwel_ddl')
      const { code, warned } = await run(program)
      expect(code).toBe(0)
      expect(warned).toEqual([
        expect.stringMatching(/^WARN {2}schema-topic\.missing topic=maxwel_ddl reason=".*the name/),
      ])
      await named('maxwell_ddl')
      expect((await run(program)).warned).toEqual([])
    })
  })
})

describe('a table that was refused', () => {
  it('and has a key now is told until it is there', async () => {
    await inFolder(async program => {
      await program.write('events.jsonl', fileOf([...goodLines(), withoutKey(1), withoutKey(2)]))
      await rules(program, '{ from: "demo.*", to: "ods.{table}" }')
      const first = await run(program)
      expect(first.warned).toEqual([expect.stringContaining('table.refused table=demo.log')])
      await rules(
        program,
        '{ from: demo.log, to: ods.log, key: [id] }',
        '{ from: "demo.*", to: "ods.{table}" }',
      )
      const refused = 'Earlier runs read events of demo.log that were refused, as it had no key'
      const second = await run(program)
      expect(second.warned).toEqual([expect.stringMatching(events('events.not-read'))])
      expect(second.warned[0]).toContain(refused)
      expect((await program.run(['tables', 'forager.yaml'])).stdout).toContain(refused)
      const lines = [...goodLines(), withoutKey(1), withoutKey(2), withoutKey(3)]
      await program.write('events.jsonl', fileOf(lines))
      await run(program)
      expect((await program.tables())['ods.log']).toEqual(['[["id",3],["name","3"]]'])
      expect((await program.run(['tables', 'forager.yaml'])).stdout).not.toContain('demo.log')
      expect(await run(program)).toMatchObject({ code: 0, warned: [] })
    })
  })
})

describe('a target', () => {
  it('that got another name begins anew, and that is told', async () => {
    await inFolder(async program => {
      await program.write('events.jsonl', fileOf(goodLines().slice(0, 4)))
      await rules(program, '{ from: demo.user, to: ods.user }')
      expect(await run(program)).toMatchObject({ code: 0, warned: [] })
      await rules(program, '{ from: demo.user, to: ods.person, columns: { exclude: [nmae] } }')
      await program.write('events.jsonl', fileOf(goodLines()))
      const { code, warned, said } = await run(program)
      expect(code).toBe(0)
      expect(warned).toEqual([
        expect.stringMatching(events('target.changed')),
        expect.stringMatching(events('column.unknown')),
      ])
      expect(said).toContain(
        'No event of demo.user had a column nmae, which `columns.exclude` names; nearest: name.',
      )
      const changed = said.filter(line => line.startsWith('demo.user goes to ods.person now'))
      expect(changed[0]).toContain('ods.person begins at this point and lacks what was read before')
    })
  })
})

describe('two source tables into one target', () => {
  it('are refused over two runs as well', async () => {
    await inFolder(async program => {
      const patterns = [
        '{ from: "demo.*", to: "ods.{table}" }',
        '{ from: "shop.*", to: "ods.{table}" }',
      ]
      await rules(program, ...patterns)
      await program.write('events.jsonl', fileOf(goodLines()))
      expect(await run(program)).toMatchObject({ code: 0, warned: [] })
      const line = changeLine(10, 'c', 1, '{"id":1,"name":"x"}')
      const other = { ...line, value: line.value!.replace('"db":"demo"', '"db":"shop"') }
      await program.write('events.jsonl', fileOf([...goodLines(), other]))
      const { code, warned } = await run(program)
      expect(code).toBe(2)
      expect(warned).toEqual([
        expect.stringMatching(/^error: demo\.user and shop\.user would both go to ods\.user, /),
      ])
    })
  })
})

describe('what earlier runs saw', () => {
  it('is needed as it was written', async () => {
    await inFolder(async program => {
      await program.write('events.jsonl', fileOf(goodLines()))
      await rules(program, '{ from: demo.user, to: ods.user }')
      await run(program)
      const path = program.path('.forager/shop/source-tables.json')
      for (const text of ['{"demo.user":', '[1]', '{"demo.user":{"target":1}}']) {
        await writeFile(path, text)
        const { code, warned } = await run(program)
        expect(code).toBe(1)
        expect(warned).toEqual([expect.stringContaining(`(file ${path}) [state-corrupt]`)])
      }
    })
  })
})

describe('a file of events that lost topics', () => {
  it('stops the run that would not notice, and changes nothing', async () => {
    await inFolder(async program => {
      const other = { ...changeLine(1, 'c', 1, '{"id":1,"name":"x"}'), topic: 's.demo.else' }
      await program.write('forager.yaml', configText())
      await program.write('events.jsonl', fileOf(goodLines()))
      await program.runHere()
      const before = await program.tables()
      for (const lines of [[], [{ ...other, key: keyText(1) }]]) {
        await program.write('events.jsonl', fileOf(lines))
        expect((await program.runHere()).error).toMatch(
          /^the file has no events of the topic s\.demo\.user any more, .*\[source-replaced\]/,
        )
      }
      expect(await program.tables()).toEqual(before)
      await program.write('events.jsonl', fileOf(goodLines()))
      expect(await program.runHere()).toMatchObject({ error: null, warnings: [] })
    })
  })

  it('or partitions of them stops it as well', async () => {
    await inFolder(async program => {
      await program.write('forager.yaml', configText({ source: ', repartitionInto: 3' }))
      await program.write('events.jsonl', fileOf(goodLines()))
      await program.runHere()
      await program.write('forager.yaml', configText({ source: ', repartitionInto: 2' }))
      expect((await program.runHere()).error).toMatch(
        /^the topic has no partition 2 any more, .*partition 2\) \[source-replaced\]/,
      )
    })
  })
})
