import { describe, expect, it } from 'vitest'
import { instantsIn, isTimeZone } from '../../../formats/mysql/time-zone.ts'
import { DecodeError } from '../../../model/errors.ts'
import { seededRandom } from '../../../runtime/random.ts'

const zones = [
  'UTC',
  'Asia/Shanghai',
  'Asia/Kathmandu',
  'Europe/Berlin',
  'America/New_York',
  'America/St_Johns',
  'Australia/Lord_Howe',
  'Pacific/Apia',
  'Africa/Casablanca',
  'GMT+08:00',
  '-03:30',
]

/** What the clock of the zone shows at the instant, as seconds. */
function wallOf(zone: string, seconds: number): number {
  const parts = new Intl.DateTimeFormat('en-US', {
    timeZone: zone.replace('GMT+', '+'),
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  }).formatToParts(seconds * 1000)
  const part = (name: string): number => Number(parts.find(({ type }) => type === name)!.value)
  const day = Date.UTC(part('year'), part('month') - 1, part('day'))
  return day / 1000 + part('hour') * 3600 + part('minute') * 60 + part('second')
}

describe('the clock on a wall', () => {
  it.each(zones)('of %s tells the instant, or that it showed it twice', zone => {
    const random = seededRandom(3)
    const toInstant = instantsIn(zone)
    let twice = 0
    for (let count = 0; count < 1500; count += 1) {
      // Every half hour of a year, then anywhere in the years of a TIMESTAMP.
      const anywhere = Math.floor(random.next() * 2 ** 31)
      const instant = count < 500 ? 1_711_800_000 + count * 1800 : anywhere
      const wall = wallOf(zone, instant)
      try {
        expect(toInstant(wall)).toBe(instant)
      } catch (error) {
        if (!(error instanceof DecodeError)) throw error
        expect(error.code).toBe('value-ambiguous')
        const isTwice = [1800, 3600, 86_400].some(
          seconds =>
            wallOf(zone, instant + seconds) === wall || wallOf(zone, instant - seconds) === wall,
        )
        expect(isTwice, `${zone} ${wall}`).toBe(true)
        twice += 1
      }
    }
    expect(twice).toBeLessThan(20)
  })

  it('leaves hours out', () => {
    // 2024-03-31 02:30 in Berlin.
    expect(() => instantsIn('Europe/Berlin')(1_711_852_200)).toThrow(/left out/)
  })

  it('has a name', () => {
    for (const zone of zones) expect(isTimeZone(zone), zone).toBe(true)
    for (const zone of ['', 'Shanghai', 'GMT+8', 'x'.repeat(1000), '+99:00']) {
      expect(isTimeZone(zone), zone).toBe(false)
    }
  })
})
