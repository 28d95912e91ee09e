/** The parts of run-length encoding version 2 that its writers and its reader share. */
import type { ByteBuffer } from './byte-buffer.ts'

export const maxRunLength = 512
export const minRepeat = 3
export const maxShortRepeat = 10

/** The top two bits of a run's first byte. */
export const runMode = { shortRepeat: 0, direct: 1, patchedBase: 2, delta: 3 } as const

/** The two bytes that start a run of every mode but SHORT_REPEAT: mode, width code, length − 1. */
export function writeRunHeader(
  mode: number,
  widthCode: number,
  count: number,
  output: ByteBuffer,
): void {
  output.writeByte((mode << 6) | (widthCode << 1) | ((count - 1) >> 8))
  output.writeByte((count - 1) & 0xff)
}
