/**
 * Secrets that this process was given. A server may quote what it was told when it refuses it, and what it says
 * becomes an error, a log line, a row of the history: so all of these go through here. It is one list for the
 * process, because an error does not know who its message is about.
 */

/** A shorter one may be a part of any word. */
const minChars = 8
const known = new Set<string>()

/** From now on nothing shows the text, nor its form in a URL. */
export function keepSecret(text: string): void {
  for (const form of [text, encodeURIComponent(text.toWellFormed())]) {
    if (form.length >= minChars) known.add(form)
  }
}

/** As basic authentication sends them. */
export function basicAuthorization(username: string, password: string): string {
  const text = Buffer.from(`${username}:${password}`).toString('base64')
  keepSecret(password)
  keepSecret(text)
  return `Basic ${text}`
}

export function withoutSecrets(text: string): string {
  let shown = text
  // The longest first: one may be in another.
  for (const secret of [...known].toSorted((a, b) => b.length - a.length)) {
    if (shown.includes(secret)) shown = shown.replaceAll(secret, '***')
  }
  return shown
}
