/**
 * Text that people are shown, on terminals and in logs, of which parts come from messages and servers: what a
 * terminal takes for a command, or shows in another order than it stands there, is shown as JSON writes it.
 */

import { withoutSecrets } from './secrets.ts'

/** Control characters, and those of Unicode that turn the direction of a line or end it. */
const controls = /[\p{Cc}\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu

/** As JSON writes it within a text. */
export function escapeControls(
  text: string,
  isKept: (control: string) => boolean = () => false,
): string {
  return text.replaceAll(controls, control => {
    if (isKept(control)) return control
    return `\\u${control.charCodeAt(0).toString(16).padStart(4, '0')}`
  })
}

/** Lines stay lines; secrets do not stay. */
export function shownText(text: string): string {
  return escapeControls(withoutSecrets(text), control => control === '\n' || control === '\t')
}

/** One line, whatever is in it. */
export function shownLine(text: string, maxChars: number): string {
  return escapeControls(cutText(text, maxChars).replaceAll(/\s+/g, ' '))
}

/** `maxChars`: in UTF-16 units. */
export function cutText(text: string, maxChars: number): string {
  return text.length > maxChars ? `${text.slice(0, maxChars - 1)}…` : text
}
