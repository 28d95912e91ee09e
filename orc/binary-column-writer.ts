/** A column of binary values while it is written: their bytes, and their lengths. */
import { ColumnWriter, type FinishedStream, integerPosition } from './column-writer.ts'
import type { StatisticsDetails } from './statistics.ts'
import type { OrcValue } from './types.ts'
import { ValueBytes } from './value-bytes.ts'
import type { BytesVector } from './vectors.ts'

export class BinaryColumnWriter extends ColumnWriter {
  readonly #data = this.createStream()
  readonly #lengthData = this.createStream()
  readonly #values = new ValueBytes()

  protected override appendValue(value: NonNullable<OrcValue>): void {
    if (!(value instanceof Uint8Array)) this.reject(value, 'a Uint8Array')
    this.#values.pushSlice(value, 0, value.length)
    this.context.pendingBytes += value.length + 8
  }

  protected override appendVector(
    vector: BytesVector,
    from: number,
    to: number,
    present: Uint8Array | null,
  ): void {
    this.context.pendingBytes +=
      this.#values.pushVector(vector, from, to, present) + 8 * (to - from)
  }

  protected override removeLastValue(): void {
    this.#values.removeLast()
  }

  protected override summarize(): StatisticsDetails {
    return { kind: 'binary', byteCount: this.#values.bytes.length }
  }

  protected override positions(): number[] {
    return [...this.#data.position(), ...integerPosition(this.#lengthData)]
  }

  protected override encodeGroup(): void {
    this.#data.append(this.#values.bytes.view())
    this.writeIntegers(this.#values.lengths, false, this.#lengthData)
    this.#values.clear()
  }

  protected override finishStreams(): FinishedStream[] {
    return [
      { kind: 'DATA', pieces: this.#data.finish() },
      { kind: 'LENGTH', pieces: this.#lengthData.finish() },
    ]
  }

  protected override ownHeldBytes(): number {
    return this.#data.sizeBytes + this.#lengthData.sizeBytes
  }
}
