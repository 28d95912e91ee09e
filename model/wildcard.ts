/** Names with `*` in them, as configurations have them. */

/** The source of an expression that matches the text; `*` stands for what `anything` matches. */
export function wildcardSource(text: string, anything: string): string {
  return text
    .split('*')
    .map(part => RegExp.escape(part))
    .join(anything)
}
