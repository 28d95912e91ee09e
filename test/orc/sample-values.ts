/** Values for tests of ORC, in styles of data that make different encodings pay. */
import type { OrcType, OrcValue } from '../../orc/index.ts'

/** Numbers from 0 to 1 that depend on the seed only (mulberry32). */
export class Random {
  #state: number

  constructor(seed: number) {
    this.#state = seed
  }

  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }

  below(limit: number): number {
    return Math.floor(this.next() * limit)
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)]!
  }

  bits(count: number): bigint {
    let value = 0n
    for (let bit = 0; bit < count; bit += 32) value = (value << 32n) | BigInt(this.below(2 ** 32))
    return BigInt.asUintN(count, value)
  }
}

export const styles = ['random', 'runs', 'sequence', 'extremes'] as const
export type Style = (typeof styles)[number]

export function sampleValue(type: OrcType, style: Style, index: number, random: Random): OrcValue {
  if (style === 'extremes') return random.pick(extremes(type, random))
  const isSequence = style === 'sequence'
  switch (type.kind) {
    case 'boolean':
      return isSequence ? index % 2 === 0 : random.below(2) === 0
    case 'byte':
      return isSequence ? (index % 256) - 128 : random.below(256) - 128
    case 'short':
      return isSequence ? (index % 1000) * 3 : random.below(65_536) - 32_768
    case 'int':
      // Mostly small with a few large ones: the case of PATCHED_BASE.
      if (isSequence) return index * 7 - 1000
      return random.below(20) === 0 ? random.below(2 ** 30) : random.below(100)
    case 'date':
      return isSequence ? index : random.below(40_000) - 10_000
    case 'long':
      if (isSequence) return 2n ** 62n + BigInt(index * 4096)
      return random.below(2) === 0 ? random.below(2 ** 40) : fromInt64(random.bits(64))
    case 'float':
    case 'double':
      return isSequence ? index / 4 : (random.next() - 0.5) * 10 ** random.below(30)
    case 'string':
    case 'varchar':
    case 'char':
      return isSequence
        ? `key-${index}`
        : random.pick(['', 'a', 'ab ', 'Zürich', '東京', '🦊🦊', 'x'.repeat(40)])
    case 'binary':
      return Uint8Array.from({ length: random.below(9) }, () => random.below(256))
    case 'timestamp':
    case 'timestamp_instant':
      return isSequence
        ? 1_700_000_000_000_000 + index * 1000
        : (random.next() - 0.3) * 2e15 - 0.5 < 0
          ? -random.below(2 ** 50)
          : random.below(2 ** 51)
    case 'decimal': {
      if (isSequence) return index * 25
      const digits = BigInt(random.below(type.precision) + 1)
      const magnitude = random.bits(127) % 10n ** digits
      return normal(random.below(2) === 0 ? magnitude : -magnitude)
    }
    case 'struct':
      return type.fields.map(field => sampleOrNull(field.type, style, index, random))
    case 'list':
      return Array.from({ length: random.below(4) }, (_, k) =>
        sampleOrNull(type.element, style, index + k, random),
      )
    case 'union': {
      const tag = isSequence ? index % type.variants.length : random.below(type.variants.length)
      return { tag, value: sampleOrNull(type.variants[tag]!, style, index, random) }
    }
    case 'map': {
      const entries = Array.from({ length: random.below(4) }, (_, k): [OrcValue, OrcValue] => [
        `k${k}`,
        sampleOrNull(type.value, style, index, random),
      ])
      return new Map(entries)
    }
  }
}

function sampleOrNull(type: OrcType, style: Style, index: number, random: Random): OrcValue {
  return random.below(6) === 0 ? null : sampleValue(type, style, index, random)
}

function extremes(type: OrcType, random: Random): readonly OrcValue[] {
  switch (type.kind) {
    case 'boolean':
      return [true, false]
    case 'byte':
      return [-128, 127, 0, -1]
    case 'short':
      return [-32_768, 32_767, 0, -1]
    case 'int':
      return [-(2 ** 31), 2 ** 31 - 1, 0, -1, 1]
    case 'date':
      // The last one is 9999-12-31, the first two are 0001-01-01 and the last Julian day.
      return [-719_162, -141_428, -141_427, -1, 0, 2_932_896]
    case 'long':
      return [
        -(2n ** 63n),
        2n ** 63n - 1n,
        0,
        -1,
        2 ** 53 - 1,
        -(2 ** 53 - 1),
        2n ** 53n,
        2 ** 52,
        -(2 ** 52),
      ]
    case 'float':
      return [
        0,
        -0,
        Number.NaN,
        Number.POSITIVE_INFINITY,
        Number.NEGATIVE_INFINITY,
        2 ** -149,
        3.4028234663852886e38,
      ]
    case 'double':
      return [
        0,
        -0,
        Number.NaN,
        Number.POSITIVE_INFINITY,
        Number.NEGATIVE_INFINITY,
        Number.MIN_VALUE,
        Number.MAX_VALUE,
      ]
    case 'string':
    case 'varchar':
    case 'char':
      return [
        '',
        ' ',
        '\u0000',
        '\u{10ffff}',
        '\ud7ff\ue000',
        '👩‍👩‍👧‍👦👩‍👩‍👧‍👦',
        'é'.repeat(9),
        'y'.repeat(700),
      ]
    case 'binary':
      return [new Uint8Array(0), new Uint8Array(300).fill(255), Uint8Array.of(0)]
    case 'timestamp':
    case 'timestamp_instant':
      // 0001-01-01, 9999-12-31T23:59:59.999999, and around the epoch.
      return [
        -62_135_596_800_000_000n,
        253_402_300_799_999_999n,
        -1_000_000,
        -999_001,
        -1_000_001,
        0,
        1,
        1_420_070_400_000_000,
      ]
    case 'decimal': {
      const most = 10n ** BigInt(type.precision) - 1n
      return [normal(most), normal(-most), 0, 1, -1]
    }
    case 'struct':
      return [
        type.fields.map(() => null),
        type.fields.map(field => random.pick(extremes(field.type, random))),
      ]
    case 'list':
      return [
        [],
        [null],
        Array.from({ length: 12 }, () => random.pick(extremes(type.element, random))),
      ]
    case 'map':
      return [new Map(), new Map([['', random.pick(extremes(type.value, random))]])]
    case 'union':
      return type.variants.map((variant, tag) => ({
        tag,
        value: random.pick([null, ...extremes(variant, random)]),
      }))
  }
}

/** A number when it is safe, else the bigint. */
export function normal(value: bigint): number | bigint {
  return Number.isSafeInteger(Number(value)) ? Number(value) : value
}

export function fromInt64(bits: bigint): number | bigint {
  return normal(BigInt.asIntN(64, bits))
}
