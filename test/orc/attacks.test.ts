/** What a review broke: each stays mended. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Dictionary } from '../../orc/dictionary.ts'
import type { OrcPredicate, OrcStructType, OrcValue, OrcVector } from '../../orc/index.ts'
import { BufferSink, BufferSource, OrcReader, OrcWriter, parseOrcType } from '../../orc/index.ts'
import { copyFile, readRows, structOf, writeFile } from './samples.ts'

const schemaOf = (text: string): OrcStructType => parseOrcType(text) as OrcStructType

describe('a predicate', () => {
  it.each<[string, unknown]>([
    ['two tests', { column: 'a', atLeast: 10, atMost: 20 }],
    ['a test and a list', { column: 'a', equals: 1, or: [] }],
    ['none', { column: 'a' }],
    ['an unknown one', { column: 'a', above: 3 }],
  ])('with %s is refused: negated it would lose rows', async (_, predicate) => {
    const file = await writeFile(schemaOf('struct<a:int>'), [[5], [15], [25]], {
      rowIndexStride: 1,
    })
    const where = { not: predicate } as OrcPredicate
    await expect(readRows(file, { where })).rejects.toMatchObject({ code: 'option-invalid' })
  })

  it('on char finds values whether or not the writer padded them', async () => {
    const options = { rowIndexStride: 2, bloomFilterColumns: ['v'], compression: 'none' } as const
    const rows = ['ab', 'cd', 'ef', 'gh'].map(text => [text])
    const padded = await writeFile(schemaOf('struct<v:char(2)>'), rows, options)
    // The same bytes with another length: as of a writer that does not pad.
    const short = Buffer.from(padded)
    const reader = await OrcReader.open(new BufferSource(padded))
    const from = short.lastIndexOf(Buffer.from([0x08, 17, 0x20, 2]))
    expect(from).toBeGreaterThan(0)
    short[from + 3] = 5
    expect(reader.rowCount).toBe(4)
    expect(await readRows(short, { where: { column: 'v', equals: 'ab' } })).toEqual(
      rows.slice(0, 2),
    )
    expect(await readRows(short, { where: { column: 'v', atLeast: 'ef' } })).toEqual(rows.slice(2))
  })

  it('does not take a field with a point in its name for a field of a struct', async () => {
    const inner = structOf({ b: { kind: 'int' } })
    const schema = structOf({ 'a.b': { kind: 'int' }, a: inner })
    const file = await writeFile(schema, [[1, [2]]])
    await expect(readRows(file, { where: { column: 'a.b', equals: 2 } })).rejects.toMatchObject({
      code: 'option-invalid',
    })
  })

  it('loses no valid text beside bytes that are none', async () => {
    const sink = new BufferSink()
    const writer = new OrcWriter(sink, schemaOf('struct<v:string>'))
    const bytes = Buffer.concat([Buffer.from([0xff]), Buffer.from('\u{10000}')])
    const [starts, lengths] = [Int32Array.of(0, 1), Int32Array.of(1, 4)]
    const column: OrcVector = { kind: 'bytes', present: null, bytes, starts, lengths }
    writer.writeBatch({ rowCount: 2, columns: [column] })
    await writer.close()
    const where = { column: 'v', equals: '\u{10000}' }
    expect((await readRows(sink.bytes(), { where })).length).toBe(2)
  })
})

describe('a writer', () => {
  it.each([Number.NaN, -1, 1.5, undefined])('refuses a batch of %s rows', async rowCount => {
    const writer = new OrcWriter(new BufferSink(), schemaOf('struct<a:int>'))
    const batch = { rowCount: rowCount as number, columns: [] }
    expect(() => writer.writeBatch(batch)).toThrow(
      expect.objectContaining({ code: 'value-invalid' }),
    )
    expect(writer.rowCount).toBe(0)
  })

  it('refuses other arrays than those of the type before it takes anything', async () => {
    const sink = new BufferSink()
    const writer = new OrcWriter(sink, schemaOf('struct<a:int,b:int>'))
    const good: OrcVector = { kind: 'integer', present: null, values: Int32Array.of(1, 2) }
    for (const bad of [
      { ...good, present: [1, 0] },
      { ...good, values: [1.5, 2 ** 40] },
    ]) {
      expect(() =>
        writer.writeBatch({ rowCount: 2, columns: [good, bad as unknown as OrcVector] }),
      ).toThrow(expect.objectContaining({ code: 'value-invalid' }))
    }
    expect(() => writer.writeRow(null as unknown as OrcValue[])).toThrow(
      expect.objectContaining({ code: 'value-invalid' }),
    )
    writer.writeRow([7, 8])
    await writer.close()
    expect(await readRows(sink.bytes())).toEqual([[7, 8]])
  })

  it.each<[string, (text: string, other: string) => OrcValue]>([
    ['string', text => text],
    ['array<string>', (text, other) => [text, other, text, `${other}y`]],
    ['map<string,string>', (text, other) => new Map([[text, other]])],
  ])(
    'writes nothing of a row that it refused, and holds nothing of it: %s',
    async (type, holding) => {
      const sink = new BufferSink()
      const writer = new OrcWriter(sink, schemaOf(`struct<a:${type},b:int>`), {
        compression: 'none',
        stripeBytes: 1_000_000,
        dictionaryThreshold: 1,
      })
      for (let k = 0; k < 50; k++) {
        const value = holding(`TOPSECRET${'x'.repeat(100_000)}${k}`, `TOPSECRETx${k}`)
        expect(() => writer.writeRow([value, 'no number'])).toThrow(/is not an integer/)
      }
      expect(writer.isStripeFull).toBe(false)
      // More values than those entries were, so that a dictionary would be worthwhile with them, too.
      const texts = Array.from({ length: 300 }, (_, k) => (k % 2 === 0 ? 'a' : 'TOPSECRE'))
      const rows = texts.map((text, k) => [holding(text, 'b'), k])
      for (const row of rows) writer.writeRow(row)
      await writer.close()
      expect(Buffer.from(sink.bytes()).includes('TOPSECRETx')).toBe(false)
      expect(await readRows(sink.bytes())).toEqual(rows)
    },
  )

  it('counts what lists of wide structs hold', () => {
    const fields = Array.from({ length: 50 }, (_, k) => `f${k}:double`).join()
    const schema = schemaOf(`struct<l:array<struct<${fields}>>>`)
    const writer = new OrcWriter(new BufferSink(), schema, { stripeBytes: 4 * 1024 * 1024 })
    const item = Array.from({ length: 50 }, (_, k) => k)
    let items = 0
    for (; !writer.isStripeFull && items < 200_000; items += 100) {
      writer.writeRow([Array.from({ length: 100 }, () => item)])
    }
    expect(items * 50 * 8).toBeLessThan(8 * 1024 * 1024)
  })
})

describe('a dictionary', () => {
  it('stays quick and right where somebody chose values whose hashes meet', () => {
    // With the hash of the dictionary turned off all values meet: the same as chosen ones.
    const dictionary = new Dictionary()
    const values = collidingTexts(4000)
    for (const text of [...values, ...values])
      dictionary.addBytes(Buffer.from(text), 0, text.length)
    expect(dictionary.size).toBe(values.length)
    expect([...dictionary.ids(0, values.length)]).toEqual([
      ...dictionary.ids(values.length, 2 * values.length),
    ])
    dictionary.addText('another')
    dictionary.removeLast()
    expect(dictionary.size).toBe(values.length)
    dictionary.addText('another')
    expect(dictionary.size).toBe(values.length + 1)
  })
})

describe('what is taken back from a dictionary', () => {
  it('is as if it had never been added, in whatever order and way texts come', () => {
    // Two of them are no Unicode and have the bytes of the third.
    const texts = ['a', 'b', 'ab', '', 'ä', '\ud800', '\udfff', '\ufffd', ...collidingTexts(300)]
    const addition = fc.record({ text: fc.constantFrom(...texts), asBytes: fc.boolean() })
    const removals = fc.integer({ min: 1, max: 400 })
    const steps = fc.array(fc.oneof({ weight: 20, arbitrary: addition }, removals), {
      maxLength: 1500,
      size: 'max',
    })
    fc.assert(
      fc.property(steps, found => {
        const dictionary = new Dictionary()
        const expected: string[] = []
        for (const step of found) {
          if (typeof step === 'number') {
            for (let left = step; left > 0 && expected.length > 0; left--) {
              dictionary.removeLast()
              expected.pop()
            }
            continue
          }
          const bytes = Buffer.from(step.text)
          if (step.asBytes) dictionary.addBytes(bytes, 0, bytes.length)
          else dictionary.addText(step.text)
          expected.push(bytes.toString())
        }
        const { bytes } = dictionary.bytes
        const added = Array.from(dictionary.ids(0, dictionary.count), id => {
          return Buffer.from(bytes.slice(dictionary.start(id), dictionary.end(id))).toString()
        })
        expect(added).toEqual(expected)
        expect(dictionary.size).toBe(new Set(expected).size)
        expect(dictionary.bytes.length).toBe(Buffer.byteLength([...new Set(expected)].join('')))
      }),
      { numRuns: 60 },
    )
  })
})

/** Texts whose hashes (FNV-1a, see `dictionary.ts`) end in the same bits. */
function collidingTexts(count: number): string[] {
  const found: string[] = []
  for (let k = 0; found.length < count; k++) {
    const text = k.toString(36).padStart(8, '0')
    let hash = 0x811c_9dc5 ^ text.length
    for (const char of text) hash = Math.imul(hash ^ char.charCodeAt(0), 0x0100_0193)
    if (((hash ^ (hash >>> 15)) & 0xff) === 7) found.push(text)
  }
  return found
}

describe('other shapes', () => {
  it('structs without fields are read, and copied by vectors', async () => {
    const schema = schemaOf('struct<a:struct<>,l:array<struct<>>>')
    const rows: OrcValue[][] = [
      [[], [[], []]],
      [null, []],
      [[], null],
    ]
    const file = await writeFile(schema, rows)
    expect(await readRows(file)).toEqual(rows)
    expect(await readRows(await copyFile(file))).toEqual(rows)
  })

  it('a union within a struct that is null now and then is written in time', async () => {
    const type = schemaOf('struct<s:struct<u:uniontype<int,string>>>')
    const rows = Array.from({ length: 30_000 }, (_, k): OrcValue[] => [
      k % 2 === 0 ? null : [{ tag: k % 3 === 0 ? 0 : 1, value: k % 3 === 0 ? k : `${k}` }],
    ])
    const file = await writeFile(type, rows)
    expect(await readRows(await copyFile(file, { maxBatchRows: 30_000 }))).toEqual(rows)
  })
})
