/** A part of a configuration that has a parser of its own. */
import { z } from 'zod'

/** Text that another parser accepts; its error is the problem that is shown. */
export function parsed<T>(parse: (text: string) => T) {
  return z.string().transform((text, context): T => {
    try {
      return parse(text)
    } catch (error) {
      context.addIssue({ code: 'custom', message: (error as Error).message })
      return z.NEVER
    }
  })
}
