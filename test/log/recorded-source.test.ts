import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ReadOnlySource } from '../../log/embedded-log.ts'
import type {
  RecordedLine,
  RecordedSource,
  RecordedSourceOptions,
} from '../../log/recorded-source.ts'
import { openRecordedSource } from '../../log/recorded-source.ts'
import type { LogRecord } from '../../model/change-event.ts'
import type { SourceError } from '../../model/errors.ts'
import { partitionOfBytes } from '../../model/partitioner.ts'
import { nodeFileSystem } from '../../runtime/file-system.ts'
import { seededRandom } from '../../runtime/random.ts'
import { SimulatedFileSystem } from '../../testkit/simulated-file-system.ts'

const m1 = join(import.meta.dirname, '../fixtures/mariadb/m1_json_schema_true.jsonl')
const path = '/events/recorded.jsonl'

function line(offset: number, rest: RecordedLine = {}): RecordedLine {
  return { topic: 'orders', partition: 0, offset, key: `k${offset}`, value: `v${offset}`, ...rest }
}

function textOf(lines: readonly (RecordedLine | string)[]): Buffer {
  const texts = lines.map(one => (typeof one === 'string' ? one : JSON.stringify(one)))
  return Buffer.from(texts.map(text => `${text}\n`).join(''))
}

interface Opened {
  readonly source: RecordedSource
  readonly bad: readonly SourceError[]
}

type Given = Partial<RecordedSourceOptions> & { readonly policy?: 'fail' | 'skip' }

async function open(bytes: Buffer, { policy = 'fail', ...options }: Given = {}): Promise<Opened> {
  const files = new SimulatedFileSystem({ random: seededRandom(1) })
  await files.makeDirectory('/events')
  const handle = await files.open(options.path ?? path, 'write')
  await handle.write(bytes, 0)
  const bad: SourceError[] = []
  const onBadLine = (error: SourceError): void => {
    if (policy === 'fail') throw error
    bad.push(error)
  }
  return {
    source: await openRecordedSource({ fileSystem: files, path, onBadLine, ...options }),
    bad,
  }
}

async function recordsOf(source: ReadOnlySource): Promise<readonly LogRecord[]> {
  const all: LogRecord[] = []
  for (const { name, partitions } of source.topics) {
    for (let partition = 0; partition < partitions; partition += 1) {
      const at = { topic: name, partition }
      all.push(...(await source.read(at, 0, Number.MAX_SAFE_INTEGER)))
    }
  }
  return all
}

function valuesOf(records: readonly LogRecord[]): (string | null)[] {
  return records.map(({ value }) => (value === null ? null : Buffer.from(value).toString()))
}

describe('a file of recorded events', () => {
  it('is topics with the recorded partitions and offsets', async () => {
    const { source } = await open(
      textOf([
        line(3, {
          headers: [
            { key: 'h', value: 'x' },
            { key: 'n', value: null },
          ],
          timestamp: 9,
        }),
        line(7, { topic: 'users', partition: 2, key: null, value: null }),
        line(5, { value: '{"a": "ü😀"}' }),
      ]),
    )
    expect(source.topics).toEqual([
      { name: 'orders', partitions: 1, id: path, isFinite: true },
      { name: 'users', partitions: 3, id: path, isFinite: true },
    ])
    expect(source.offsets({ topic: 'orders', partition: 0 })).toEqual({ start: 3, end: 6 })
    expect(source.offsets({ topic: 'users', partition: 0 })).toEqual({ start: 0, end: 0 })
    expect(source.offsets({ topic: 'users', partition: 2 })).toEqual({ start: 7, end: 8 })
    const records = await recordsOf(source)
    const place = { topic: 'orders', partition: 0 }
    expect(records).toEqual([
      {
        ...place,
        offset: 3,
        timestampMs: 9,
        key: Buffer.from('k3'),
        value: Buffer.from('v3'),
        headers: [
          { key: 'h', value: Buffer.from('x') },
          { key: 'n', value: Buffer.alloc(0) },
        ],
      },
      {
        ...place,
        offset: 5,
        timestampMs: 0,
        key: Buffer.from('k5'),
        value: Buffer.from('{"a": "ü😀"}'),
        headers: [],
      },
      {
        topic: 'users',
        partition: 2,
        offset: 7,
        timestampMs: 0,
        key: null,
        value: null,
        headers: [],
      },
    ])
  })

  it('gives bytes that are recorded as base64', async () => {
    const bytes = Buffer.from([0, 0xff, 0x80, 0x0a])
    const b64 = bytes.toString('base64')
    const { source } = await open(textOf([line(0, { key_b64: b64, value_b64: b64, value: 'no' })]))
    const [record] = await recordsOf(source)
    expect([record!.key, record!.value]).toEqual([bytes, bytes])
  })

  it.each([
    ['gzipped', (bytes: Buffer) => gzipSync(bytes)],
    ['gzipped in two members', (bytes: Buffer) => twoMembers(bytes)],
    [
      'with Windows line ends',
      (bytes: Buffer) => Buffer.from(bytes.toString().replaceAll('\n', '\r\n')),
    ],
    ['without an end of the last line', (bytes: Buffer) => bytes.subarray(0, -1)],
    ['with empty lines', (bytes: Buffer) => Buffer.from(`\n${bytes.toString()}\n\n`)],
  ])('is the same %s', async (_what, change) => {
    const plain = textOf([0, 1, 2, 3].map(offset => line(offset)))
    const { source } = await open(change(plain))
    expect(valuesOf(await recordsOf(source))).toEqual(['v0', 'v1', 'v2', 'v3'])
  })

  it('that is empty has no topics', async () => {
    expect((await open(Buffer.alloc(0))).source.topics).toEqual([])
  })

  it('is the recorded fixture, record by record', async () => {
    const { source } = await open(gzipSync(await readFile(m1)))
    const lines = (await readFile(m1, 'utf8')).trimEnd().split('\n')
    const expected = lines.map(one => JSON.parse(one) as RecordedLine)
    const records = await recordsOf(source)
    expect(records).toHaveLength(217)
    const known = new Map(records.map(record => [`${record.topic} ${record.offset}`, record]))
    for (const { topic, offset, value } of expected) {
      const record = known.get(`${String(topic)} ${String(offset)}`)
      expect(record?.value?.toString() ?? null).toBe(value)
    }
  })
})

function twoMembers(bytes: Buffer): Buffer {
  const middle = bytes.indexOf(0x0a) + 3
  return Buffer.concat([gzipSync(bytes.subarray(0, middle)), gzipSync(bytes.subarray(middle))])
}

describe('a record', () => {
  it('is known by its line, whatever stands between', async () => {
    const text = textOf([line(5), '', 'bad', line(7, { partition: 1 }), line(9)])
    const { source } = await open(text, { policy: 'skip' })
    const lines = [5, 6, 7, 9, 10].map(offset => {
      return source.lineOf({ topic: 'orders', partition: offset === 7 ? 1 : 0, offset })
    })
    expect(lines).toEqual([1, null, 4, 5, null])
    expect(source.lineOf({ topic: 'other', partition: 0, offset: 5 })).toBeNull()
  })
})

describe('a file that cannot be read', () => {
  const options = { fileSystem: nodeFileSystem, onBadLine: () => undefined }

  it.each([
    ['is missing', '/nowhere/events.jsonl', 'there is no such file'],
    ['is a folder', import.meta.dirname, 'that is a folder, not a file'],
  ])('because it %s is source-unreadable', async (_what, at, why) => {
    await expect(openRecordedSource({ ...options, path: at })).rejects.toMatchObject({
      code: 'source-unreadable',
      message: `cannot read ${at}: ${why}`,
      context: { file: at },
    })
  })

  it('because it is truncated says how many whole records come before, under any policy', async () => {
    const bytes = textOf(Array.from({ length: 4000 }, (_, offset) => noisyLine(offset)))
    const packed = gzipSync(bytes)
    for (const part of [0.3, 0.6, 0.99]) {
      const cut = packed.subarray(0, Math.floor(packed.length * part))
      const opening = open(cut, { policy: 'skip', path: '/events/cut.gz' })
      const error = (await opening.then(
        () => null,
        (reason: unknown) => reason,
      )) as SourceError
      expect(error).toMatchObject({
        code: 'source-unreadable',
        context: { file: '/events/cut.gz' },
      })
      const found = /^cannot unpack \/events\/cut\.gz: unexpected end of file \((\d+) whole records/
      const count = Number(found.exec(error.message)?.[1])
      expect(count / 4000).toBeGreaterThan(part - 0.1)
      expect(count / 4000).toBeLessThan(part + 0.1)
    }
  })

  it('is not one that begins with a byte order mark, packed or not', async () => {
    const bytes = Buffer.concat([Buffer.from('\uFEFF'), textOf([line(0), line(1)])])
    for (const given of [bytes, gzipSync(bytes)]) {
      const { source } = await open(given)
      expect(valuesOf(await recordsOf(source))).toEqual(['v0', 'v1'])
    }
  })

  it('is not one without options: bad lines throw, and the files are the machine’s', async () => {
    const source = await openRecordedSource({ path: m1 })
    expect(source.topics.length).toBeGreaterThan(3)
    const missing = openRecordedSource({ path: `${m1}.missing` })
    await expect(missing).rejects.toMatchObject({ code: 'source-unreadable' })
  })

  it('because its checksum is wrong is source-unreadable', async () => {
    const packed = gzipSync(textOf([line(0), line(1)]))
    packed[packed.length - 6]! ^= 0xff
    await expect(open(packed)).rejects.toMatchObject({ code: 'source-unreadable' })
  })

  it('because it only has the name of an archive is source-unreadable', async () => {
    await expect(open(textOf([line(0)]), { path: '/events/plain.gz' })).rejects.toThrow(
      'cannot unpack /events/plain.gz: it is not gzipped, though its name ends in .gz',
    )
  })

  it('because it unpacks to more than is allowed says so', async () => {
    const packed = gzipSync(Buffer.alloc(100_000, 'x'))
    await expect(open(packed, { maxBytes: 50_000 })).rejects.toThrow(
      'it unpacks to more than 50000 bytes',
    )
  })
})

/** Hard to compress, so that a part of the archive is a like part of the lines. */
function noisyLine(offset: number): RecordedLine {
  const random = seededRandom(offset)
  return line(offset, { value: Array.from({ length: 8 }, () => random.id()).join('') })
}

describe('a line that is not of the recorded form', () => {
  const badLines: readonly (readonly [string, string, string])[] = [
    ['no JSON', '{"topic": "ord', 'JSON'],
    ['no object', '17', 'it is not a JSON object'],
    ['null', 'null', 'it is not a JSON object'],
    ['no topic', JSON.stringify(line(1, { topic: undefined })), 'it has no "topic"'],
    ['an empty topic', JSON.stringify(line(1, { topic: '' })), 'it has no "topic"'],
    [
      'no partition',
      JSON.stringify(line(1, { partition: undefined })),
      '"partition" is not a whole number',
    ],
    [
      'a negative partition',
      JSON.stringify(line(1, { partition: -1 })),
      '"partition" is not a whole number',
    ],
    [
      'a partition beyond all',
      JSON.stringify(line(1, { partition: 2 ** 40 })),
      '"partition" is more than 99999',
    ],
    ['half an offset', JSON.stringify(line(1, { offset: 1.5 })), '"offset" is not a whole number'],
    [
      'a timestamp of text',
      JSON.stringify(line(1, { timestamp: 'now' })),
      '"timestamp" is not a whole number',
    ],
    [
      'a value that was parsed',
      JSON.stringify(line(1, { value: { a: 1 } })),
      '"value" is not a string',
    ],
    ['a key that was parsed', JSON.stringify(line(1, { key: 5 })), '"key" is not a string'],
    [
      'headers of another form',
      JSON.stringify(line(1, { headers: {} })),
      '"headers" is not a list',
    ],
    ['a header without a key', JSON.stringify(line(1, { headers: [{}] })), 'a header has no "key"'],
    ['an offset that goes back', JSON.stringify(line(0)), 'offset 0 does not follow 0'],
  ]

  it.each(badLines)('(%s) fails with its line', async (_what, text, why) => {
    const opening = open(textOf([line(0), '', text, line(2)]))
    await expect(opening).rejects.toMatchObject({
      code: 'source-line-invalid',
      message: expect.stringContaining(`line 3 of ${path}: `),
      context: { file: path, line: 3 },
    })
    await expect(open(textOf([line(0), '', text, line(2)]))).rejects.toThrow(why)
  })

  it.each(badLines)(
    '(%s) is passed over and told, and the others are read',
    async (_w, text, why) => {
      const { source, bad } = await open(textOf([line(0), text, line(2)]), { policy: 'skip' })
      expect(bad.map(({ code, context }) => [code, context])).toEqual([
        ['source-line-invalid', { file: path, line: 2 }],
      ])
      expect(bad[0]!.message).toContain(why)
      expect(valuesOf(await recordsOf(source))).toEqual(['v0', 'v2'])
    },
  )
})

describe('a file that is re-keyed', () => {
  const keys = fc.array(fc.option(fc.constantFrom('a', 'b', 'c', 'd', 'e', '', '1', '2')), {
    maxLength: 60,
  })

  it('places each key as a producer does, keeps its order, and numbers by line', async () => {
    await fc.assert(
      fc.asyncProperty(keys, fc.integer({ min: 1, max: 8 }), async (given, partitions) => {
        const lines = given.map((key, index) => line(index * 10, { key, value: `${index}` }))
        const { source } = await open(textOf(lines), { repartitionInto: partitions })
        if (given.length > 0) expect(source.topics).toMatchObject([{ partitions }])
        const records = await recordsOf(source)
        expect(records).toHaveLength(given.length)
        for (const { key, value, offset, partition } of records) {
          expect(String(offset)).toBe(value!.toString())
          expect(given[offset]).toBe(key === null ? null : key.toString())
          const placed = key === null ? offset % partitions : partitionOfBytes(key, partitions)
          expect(partition).toBe(placed)
        }
        for (let partition = 0; partition < partitions; partition += 1) {
          const own = records.filter(record => record.partition === partition)
          expect(
            own.every((one, index) => index === 0 || own[index - 1]!.offset < one.offset),
          ).toBe(true)
        }
      }),
      { seed: 1, numRuns: 100 },
    )
  })

  it('keeps the places of the others when a line that was bad is mended', async () => {
    const texts = Array.from({ length: 20 }, (_, index) => line(index))
    const damaged = texts.map((one, index) => (index === 7 ? 'damaged' : one))
    const before = await open(textOf(damaged), { repartitionInto: 3, policy: 'skip' })
    const after = await open(textOf(texts), { repartitionInto: 3 })
    const [few, all] = [await recordsOf(before.source), await recordsOf(after.source)]
    expect(few).toHaveLength(19)
    expect(all.filter(({ offset }) => offset !== 7)).toEqual(few)
  })
})
