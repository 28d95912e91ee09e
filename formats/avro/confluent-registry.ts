/**
 * A schema registry that speaks Confluent's HTTP interface: Confluent's own, Apicurio (`/apis/ccompat/v7`),
 * Karapace, Redpanda. What it said is kept: a schema never changes under its id. While it does not answer
 * it is asked again until `retryTimeoutMs` has passed; what it refuses is said at once, and an id that it
 * does not have a moment later, since a replica may lag behind.
 */
import * as http from 'node:http'
import * as https from 'node:https'
import { DecodeError, SourceError } from '../../model/errors.ts'
import { basicAuthorization } from '../../model/secrets.ts'
import type { Clock } from '../../runtime/clock.ts'
import type { RegisteredSchema, SchemaRegistry, SubjectVersion } from './schema-registry.ts'
import { versionName } from './schema-registry.ts'

export interface ConfluentRegistryOptions {
  /** With its path, if it has one: `https://registry:8081`. */
  readonly url: string
  readonly auth?:
    | { readonly username: string; readonly password: string }
    | { readonly token: string }
  /** PEM texts; what is absent is the system's. */
  readonly tls?: {
    readonly ca?: string
    readonly cert?: string
    readonly key?: string
    readonly passphrase?: string
  }
  /** How long it may do nothing, and how long one answer may take. */
  readonly requestTimeoutMs?: number
  readonly retryTimeoutMs?: number
  readonly clock: Clock
}

interface Answer {
  readonly schema: string
  readonly references: readonly SubjectVersion[]
}

const maxAnswerBytes = 16 * 1024 * 1024
const maxReferences = 1000
/** Of a schema with all that it refers to. */
const maxSchemaChars = 16 * 1024 * 1024
const retryMs = 500
/** How long an id may be missing. */
const missingRetryMs = 3000
/** For so long an id that was missing is asked for once: many messages may name it. */
const missingKnownMs = 60_000
const maxMissing = 1000

export class ConfluentRegistry implements SchemaRegistry {
  readonly #options: ConfluentRegistryOptions
  readonly #agent: http.Agent
  readonly #known = new Map<number, RegisteredSchema>()
  readonly #underway = new Map<number, Promise<void>>()
  /** What was asked for and missing, and since when. */
  readonly #missing = new Map<string, number>()

  constructor(options: ConfluentRegistryOptions) {
    this.#options = options
    const isSecure = new URL(options.url).protocol === 'https:'
    this.#agent = isSecure ? new https.Agent({ ...options.tls }) : new http.Agent()
  }

  find(id: number): RegisteredSchema | null {
    return this.#known.get(id) ?? null
  }

  /** One request for all who wait for it. */
  fetch(id: number): Promise<void> {
    const underway = this.#underway.get(id) ?? this.#fetch(id)
    this.#underway.set(id, underway)
    return underway.finally(() => this.#underway.delete(id))
  }

  async #fetch(id: number): Promise<void> {
    const { schema, references } = await this.#ask(`/schemas/ids/${id}`, `the id ${id}`)
    const found = new Map<string, string>()
    await this.#follow(references, found)
    this.#known.set(id, { schema, references: [...found.values()] })
  }

  /** In the order in which they need each other; a circle ends where it began. */
  async #follow(references: readonly SubjectVersion[], found: Map<string, string>): Promise<void> {
    for (const reference of references) {
      const name = versionName(reference)
      if (found.has(name)) continue
      if (found.size >= maxReferences) {
        throw new DecodeError(
          'schema-invalid',
          `a schema refers to more than ${maxReferences} others`,
        )
      }
      const { subject, version } = reference
      const path = `/subjects/${encodeURIComponent(subject)}/versions/${version}`
      const referred = await this.#ask(path, name)
      const chars = [...found.values()].reduce((sum, { length }) => sum + length, 0)
      if (chars + referred.schema.length > maxSchemaChars) {
        throw new DecodeError(
          'schema-invalid',
          'a schema and those that it refers to have more than 16 Mi characters',
        )
      }
      found.set(name, referred.schema)
      await this.#follow(referred.references, found)
      found.delete(name)
      found.set(name, referred.schema)
    }
  }

  async #ask(path: string, what: string): Promise<Answer> {
    const { clock, retryTimeoutMs = 60_000 } = this.#options
    const start = clock.monotonic()
    const isKnown = start - (this.#missing.get(path) ?? Number.NEGATIVE_INFINITY) < missingKnownMs
    for (;;) {
      const found = await this.#request(path, what)
      if (!(found instanceof Error)) return found
      const isMissing = found instanceof DecodeError
      const limitMs = isMissing && isKnown ? 0 : isMissing ? missingRetryMs : retryTimeoutMs
      if (clock.monotonic() - start >= Math.min(limitMs, retryTimeoutMs)) {
        if (isMissing) this.#noteMissing(path, clock.monotonic())
        throw found
      }
      await clock.sleep(retryMs)
    }
  }

  #noteMissing(path: string, nowMs: number): void {
    if (this.#missing.size >= maxMissing) this.#missing.clear()
    this.#missing.set(path, nowMs)
  }

  /** What may pass by itself is returned, not thrown. */
  async #request(path: string, what: string): Promise<Answer | DecodeError | SourceError> {
    const { url } = this.#options
    let answer: { readonly status: number; readonly body: string }
    try {
      answer = await this.#get(path)
    } catch (cause) {
      return unreachable(url, (cause as Error).message, cause)
    }
    const { status, body } = answer
    if (status === 200) return answerOf(body, what, url)
    if (status === 404) {
      return new DecodeError(
        'schema-missing',
        `the schema registry ${url} has no schema with ${what}`,
      )
    }
    const shown = body.length > 200 ? `${body.slice(0, 200)}…` : body
    const error = unreachable(url, `it answers ${status} to ${path}: ${shown}`)
    if (status >= 500 || status === 429) return error
    throw error
  }

  #get(path: string): Promise<{ readonly status: number; readonly body: string }> {
    const { url, auth, clock, requestTimeoutMs = 10_000 } = this.#options
    const start = clock.monotonic()
    const target = new URL(`${url.replace(/\/+$/, '')}${path}`)
    const headers: Record<string, string> = {
      Accept: 'application/vnd.schemaregistry.v1+json, application/json',
    }
    if (auth !== undefined) headers.Authorization = authorization(auth)
    const { request } = target.protocol === 'https:' ? https : http
    return new Promise((resolve, reject) => {
      const given = { agent: this.#agent, headers, timeout: requestTimeoutMs }
      const sent = request(target, given, response => {
        const parts: Buffer[] = []
        let size = 0
        response.on('data', (part: Buffer) => {
          size += part.length
          parts.push(part)
          if (size > maxAnswerBytes) sent.destroy(new Error('its answer is larger than 16 MiB'))
          if (clock.monotonic() - start > requestTimeoutMs) {
            sent.destroy(new Error(`it has not answered after ${requestTimeoutMs / 1000} s`))
          }
        })
        response.on('error', reject)
        response.on('end', () => {
          resolve({ status: response.statusCode ?? 0, body: Buffer.concat(parts).toString('utf8') })
        })
      })
      sent.on('timeout', () => {
        sent.destroy(new Error(`it said nothing for ${requestTimeoutMs / 1000} s`))
      })
      sent.on('error', reject)
      sent.end()
    })
  }
}

function authorization(auth: NonNullable<ConfluentRegistryOptions['auth']>): string {
  if ('token' in auth) return `Bearer ${auth.token}`
  return basicAuthorization(auth.username, auth.password)
}

function unreachable(url: string, why: string, cause?: unknown): SourceError {
  const message = `the schema registry ${url} gives no schema: ${why}`
  return new SourceError('registry-unreachable', message, { cause })
}

function answerOf(body: string, what: string, url: string): Answer {
  let found: { schema?: unknown; schemaType?: unknown; references?: unknown } | null
  try {
    found = JSON.parse(body) as typeof found
  } catch {
    found = null
  }
  const { schema, schemaType = 'AVRO', references } = found ?? {}
  if (typeof schema !== 'string') {
    throw unreachable(url, `its answer for ${what} has no schema: is it the address of a registry?`)
  }
  if (schemaType !== 'AVRO') {
    const type = String(schemaType)
    throw new DecodeError(
      'schema-invalid',
      `the schema registry ${url} has with ${what} a schema of the type ${type}, not AVRO`,
    )
  }
  return { schema, references: Array.isArray(references) ? references.filter(isReference) : [] }
}

function isReference(found: unknown): found is SubjectVersion {
  const { subject, version } = (found ?? {}) as Partial<SubjectVersion>
  return typeof subject === 'string' && typeof version === 'number'
}
