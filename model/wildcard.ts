/** Names with `*` in them, as configurations have them. */

/** The source of an expression that matches the text; `*` stands for what `anything` matches. */
export function wildcardSource(text: string, anything: string): string {
  return (
    text
      .split('*')
      // People read it in descriptions: `RegExp.escape` writes the first letter as a number.
      .map(part => part.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`))
      .join(anything)
  )
}
