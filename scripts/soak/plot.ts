/**
 * A soak as a picture: a panel for each series over the minutes, a line for each life of a process, and marks where
 * one was killed, stopped or suspended.
 */
import type { Point } from './flatness.ts'
import type { Recording } from './samples.ts'
import { diskSeries, pointsOf, processSeries } from './samples.ts'

interface Panel {
  readonly title: string
  readonly lines: readonly Line[]
}

interface Line {
  readonly color: string
  readonly points: readonly Point[]
}

interface Box {
  readonly left: number
  readonly top: number
  readonly width: number
  readonly height: number
}

const colors = ['#1f6feb', '#d1690e']
const markColors: Readonly<Record<string, string>> = {
  kill: '#cf222e',
  stop: '#8250df',
  pause: '#8c959f',
}
const [columns, panelWidth, panelHeight] = [3, 320, 150] as const
const margin = { left: 46, right: 12, top: 26, bottom: 22 } as const
const headHeight = 34

/** SVG, on white, so that it is read on any page. */
export function plot(recording: Recording): string {
  const panels = [...processPanels(recording), ...diskPanels(recording)]
  const width = columns * panelWidth
  const height = headHeight + Math.ceil(panels.length / columns) * panelHeight
  const { over, rate, seconds, date } = recording
  const title =
    `Soak over ${over === 'kafka' ? 'Kafka' : 'the local log'}: ${seconds / 60} minutes, ${rate} statements a second, ` +
    date.slice(0, 10)
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="10">`,
    `<title>${title}</title>`,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    text({ x: 12, y: 20, content: title, extra: 'font-size="13" font-weight="bold"' }),
    ...legend(width),
    ...panels.flatMap((panel, index) => {
      const left = (index % columns) * panelWidth + margin.left
      const top = headHeight + Math.floor(index / columns) * panelHeight + margin.top
      return draw(panel, recording, {
        left,
        top,
        width: panelWidth - margin.left - margin.right,
        height: panelHeight - margin.top - margin.bottom,
      })
    }),
    '</svg>\n',
  ].join('\n')
}

function processPanels({ lives }: Recording): readonly Panel[] {
  return processSeries.map(({ name, unit, of }) => ({
    title: titleOf(name, unit),
    lines: lives.map(({ slot, samples }) => {
      return { color: colors[slot % colors.length]!, points: pointsOf(samples, of) }
    }),
  }))
}

function diskPanels({ disk }: Recording): readonly Panel[] {
  return diskSeries.map(({ name, unit, of }) => {
    return { title: titleOf(name, unit), lines: [{ color: '#1a7f37', points: pointsOf(disk, of) }] }
  })
}

function titleOf(name: string, unit: string): string {
  return unit === '' ? name : `${name}, ${unit}`
}

function legend(width: number): readonly string[] {
  return Object.entries(markColors).map(([kind, color], index) => {
    const x = width - 70 * (index + 1)
    return text({ x, y: 20, content: `| ${kind}`, extra: `fill="${color}"` })
  })
}

function draw({ title, lines }: Panel, { seconds, faults }: Recording, box: Box): string[] {
  const { left, top, width, height } = box
  const most = Math.max(0, ...lines.flatMap(({ points }) => points.map(({ value }) => value)))
  const scale = roundUp(most)
  const x = (at: number): string => (left + Math.min(1, at / seconds) * width).toFixed(1)
  const y = (value: number): string => (top + height - (value / scale) * height).toFixed(1)
  const marks = faults.map(({ atSeconds, kind }) => {
    const at = x(atSeconds)
    return `<line x1="${at}" x2="${at}" y1="${top}" y2="${top + height}" stroke="${markColors[kind]}" stroke-width=".5" opacity=".5"/>`
  })
  const drawn = lines
    .filter(({ points }) => points.length > 0)
    .map(({ color, points }) => {
      const path = points.map(({ atSeconds, value }) => `${x(atSeconds)},${y(value)}`).join(' ')
      return `<polyline points="${path}" fill="none" stroke="${color}" stroke-width="1"/>`
    })
  const [bottom, right] = [top + height, left + width]
  return [
    text({ x: left, y: top - 8, content: title, extra: 'font-weight="bold"' }),
    `<path d="M${left} ${top}V${bottom}H${right}" fill="none" stroke="#57606a"/>`,
    ...[0, scale / 2, scale].map(value => {
      const place = { x: left - 4, y: Number(y(value)) + 3 }
      return text({ ...place, content: shortNumber(value), extra: 'text-anchor="end"' })
    }),
    ...[0, 0.5, 1].map(share => {
      const place = { x: left + share * width, y: bottom + 13 }
      const content = `${shortNumber((share * seconds) / 60)} min`
      return text({ ...place, content, extra: 'text-anchor="middle"' })
    }),
    ...marks,
    ...drawn,
  ]
}

/** Up to 1, 2 or 5 times a power of ten. */
function roundUp(value: number): number {
  if (value <= 0) return 1
  const power = 10 ** Math.floor(Math.log10(value))
  return power * ([1, 2, 5, 10].find(step => step * power >= value) ?? 10)
}

function shortNumber(value: number): string {
  return value >= 10_000 ? `${value / 1000}k` : String(Number(value.toPrecision(3)))
}

function text(at: {
  readonly x: number
  readonly y: number
  readonly content: string
  readonly extra: string
}): string {
  return `<text x="${at.x}" y="${at.y}" ${at.extra}>${at.content}</text>`
}
