/** What a source task keeps beside its offset. */
export interface SourceState {
  readonly repeats: string
  readonly decoder: string
  readonly doubtful: readonly string[]
}

/** See `RepeatFilter.save`, `Decoder.memory`, `DoubtfulTables.save`. */
export function sourceStateText({ repeats, decoder, doubtful }: SourceState): string {
  return JSON.stringify([repeats, decoder, doubtful])
}

export function parseSourceState(text: string): SourceState {
  type Parts = readonly [string?, string?, (readonly string[])?]
  const [repeats = '', decoder = '', doubtful = []] = JSON.parse(text || '[]') as Parts
  return { repeats, decoder, doubtful }
}
