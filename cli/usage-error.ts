/** What was typed cannot be done: a line for whoever typed it, and nothing else. */
export class UsageError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'UsageError'
  }
}
