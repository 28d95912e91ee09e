/** A column of binary values while it is written: their bytes, and their lengths. */
import { ByteBuffer } from './byte-buffer.ts'
import { ColumnWriter, type FinishedStream, integerPosition } from './column-writer.ts'
import { IntegerBuffer } from './integer-buffer.ts'
import type { StatisticsDetails } from './statistics.ts'
import type { OrcValue } from './types.ts'

export class BinaryColumnWriter extends ColumnWriter {
  readonly #data = this.createStream()
  readonly #lengthData = this.createStream()
  readonly #bytes = new ByteBuffer()
  readonly #lengths = new IntegerBuffer()

  protected override appendValue(value: NonNullable<OrcValue>): void {
    if (!(value instanceof Uint8Array)) this.reject(value, 'a Uint8Array')
    this.#bytes.writeBytes(value)
    this.#lengths.push(value.length)
    this.context.pendingBytes += value.length + 8
  }

  protected override removeLastValue(): void {
    const last = this.#lengths.length - 1
    this.#bytes.length -= this.#lengths.narrow[last]!
    this.#lengths.truncate(last)
  }

  protected override summarize(): StatisticsDetails {
    return { kind: 'binary', byteCount: this.#bytes.length }
  }

  protected override positions(): number[] {
    return [...this.#data.position(), ...integerPosition(this.#lengthData)]
  }

  protected override encodeGroup(): void {
    this.#data.append(this.#bytes.view())
    this.writeIntegers(this.#lengths, false, this.#lengthData)
    this.#bytes.clear()
    this.#lengths.clear()
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
