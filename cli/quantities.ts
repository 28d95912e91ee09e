/** Durations and sizes of a configuration: text with a unit. */
import { z } from 'zod'

const durationUnits: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }
const sizeUnits: Readonly<Record<string, number>> = {
  B: 1,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
  KB: 1000,
  MB: 1000 ** 2,
  GB: 1000 ** 3,
}

/** Text with a unit, as a number of the smallest unit. */
function quantity(what: string, units: Readonly<Record<string, number>>, example: string) {
  const names = Object.keys(units).join('|')
  const form = new RegExp(`^(\\d+(?:\\.\\d+)?) ?(${names})$`)
  const message = `must be a ${what} with its unit, like ${example} (units: ${names.replaceAll('|', ', ')})`
  return z
    .string(message)
    .regex(form, message)
    .transform(text => {
      const match = form.exec(text)
      return Math.round(Number(match?.[1]) * units[match?.[2] ?? '']!)
    })
}

export const duration = quantity('duration', durationUnits, '5s')
export const size = quantity('size', sizeUnits, '64MiB')
