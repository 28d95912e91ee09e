/** The lines of a story: `TIME what`, where the time is simulated, in ms, and most are steps of the schedule. */

const stepMark = '· '

/** Who went on, with what. */
export function stepLine(who: string, what: string): string {
  return `${stepMark}${who}: ${what}`
}

/** What happened, without what was scheduled. */
export function withoutSteps(story: readonly string[]): readonly string[] {
  return story.filter(line => !line.slice(line.indexOf(' ') + 1).startsWith(stepMark))
}
