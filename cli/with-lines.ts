/** Errors over recorded events name the line of the file, beside the place in the topic. */
import type { Format } from '../formats/decoder.ts'
import type { Origin } from '../model/change-event.ts'
import type { ErrorContext } from '../model/errors.ts'
import { ForagerError } from '../model/errors.ts'

export type LineOf = (record: Origin) => Pick<ErrorContext, 'file' | 'line'>

/** The error with the line, when it knows its place in the topic. */
export function atLine(error: unknown, lineOf: LineOf): unknown {
  if (!(error instanceof ForagerError)) return error
  const { topic, partition, offset, line } = error.context
  if (topic === undefined || partition === undefined || offset === undefined) return error
  return line === undefined ? error.at(lineOf({ topic, partition, offset })) : error
}

/** The format, whose errors say where the record stands in its file. */
export function withLines(format: Format, lineOf: LineOf): Format {
  return {
    name: format.name,
    hasPositions: format.hasPositions,
    movesKeys: format.movesKeys ?? false,
    createDecoder: options => {
      const decoder = format.createDecoder(options)
      return {
        decode: record => {
          try {
            return decoder.decode(record)
          } catch (error) {
            throw error instanceof ForagerError ? error.at(lineOf(record)) : error
          }
        },
        get schemaTopics() {
          return decoder.schemaTopics
        },
        get memory() {
          return decoder.memory
        },
        ...(decoder.memoryOf && { memoryOf: (topic: string) => decoder.memoryOf!(topic) }),
        restore: memory => decoder.restore(memory),
        learn: record => decoder.learn(record),
      }
    },
  }
}
