/**
 * Secrets that this process was given. A server may quote what it was told when it refuses it, and what it says
 * becomes an error, a log line, a row of the history: so all of these go through here. It is one list for the
 * process, because an error does not know who its message is about.
 */

/** A shorter one may be a part of any word: it is hidden only where the text says that it is one. */
export const minHiddenChars = 8
const known = new Set<string>()
const places = new Map<string, RegExp>()

/** From now on nothing shows the text, nor its form in a URL. */
export function keepSecret(text: string): void {
  for (const form of [text, encodeURIComponent(text.toWellFormed())]) {
    if (form.length >= minHiddenChars) known.add(form)
    else if (form !== '' && !places.has(form)) places.set(form, placesOf(form))
  }
}

/**
 * Where a short secret is told by what stands before it: the name of a setting, `Bearer`, `user:` in an address, the NUL
 * of SASL PLAIN. In all the rest it may be any word.
 */
function placesOf(secret: string): RegExp {
  const quote = String.raw`\\?["'\x60]`
  const named = `(?:passw(?:or)?d|passphrase|pwd)(?:${quote})? {0,2}(?:[:=]|is|was)? {0,2}`
  const assigned = `(?:token|secret|credentials?|delegation)(?:${quote})? {0,2}[:=] {0,2}`
  const before = String.raw`(?:${named}|${assigned}|bearer )(?:${quote})?|\0`
  const whole = RegExp.escape(secret)
  return new RegExp(String.raw`(${before})${whole}(?![\p{L}\p{N}_])|(:)${whole}(?=@)`, 'giu')
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
  for (const [secret, pattern] of places) {
    if (!shown.includes(secret)) continue
    shown = shown.replaceAll(pattern, (_, before?: string, colon?: string) => {
      return `${before ?? colon ?? ''}***`
    })
  }
  return shown
}
