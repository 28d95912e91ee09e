/**
 * Where the schemas of messages are that carry only an id: the seam, and the registry that is a file
 * beside recorded events. Over HTTP: `confluent-registry.ts`.
 */
import { DecodeError, SourceError } from '../../model/errors.ts'

export interface RegisteredSchema {
  /** Avro's JSON. */
  readonly schema: string
  /** Schemas whose names it uses, in the order in which they need each other. */
  readonly references: readonly string[]
}

export interface SchemaRegistry {
  /** Null while it was not fetched. */
  find(id: number): RegisteredSchema | null
  /**
   * Afterwards `find` has it. Throws DecodeError `schema-missing` when there is no such id, `schema-invalid`
   * when it is no Avro, SourceError `registry-unreachable` when nobody answers in time.
   */
  fetch(id: number): Promise<void>
}

/** To ask a format what it is, without any message. */
export const emptyRegistry: SchemaRegistry = {
  find: () => null,
  fetch: id => {
    return Promise.reject(new DecodeError('schema-missing', `there is no registry to have ${id}`))
  },
}

export interface FileRegistryOptions {
  /** For errors. */
  readonly path: string
  /** What the file holds. */
  readonly read: () => Promise<string>
}

/**
 * A registry as a file, which is read when the first message needs it: a JSON line a schema, `{"id": 7,
 * "schema": "…", "references": [{"subject": …, "version": …}], "subject_versions": [{"subject": …,
 * "version": …}]}`; the last two may be left out.
 */
export class FileRegistry implements SchemaRegistry {
  readonly #options: FileRegistryOptions
  readonly #found = new Map<number, RegisteredSchema>()
  #lines: Promise<readonly RegistryLine[]> | null = null

  constructor(options: FileRegistryOptions) {
    this.#options = options
  }

  find(id: number): RegisteredSchema | null {
    return this.#found.get(id) ?? null
  }

  async fetch(id: number): Promise<void> {
    this.#lines ??= this.#read().catch((error: unknown) => {
      // It may be there when it is asked for again.
      this.#lines = null
      throw error
    })
    const lines = await this.#lines
    const line = lines.find(one => one.id === id)
    if (line === undefined) throw this.#missing(`the id ${id}`)
    const resolved = resolve(line, version => {
      const name = versionName(version)
      const referred = lines.find(one => {
        return (one.subject_versions ?? []).some(known => versionName(known) === name)
      })
      if (referred === undefined) throw this.#missing(name)
      return referred
    })
    this.#found.set(id, resolved)
  }

  /** Throws SourceError `source-unreadable` with the line that is none. */
  async #read(): Promise<readonly RegistryLine[]> {
    const { path, read } = this.#options
    const text = await read()
    return text.split('\n').flatMap((line, index) => {
      return line.trim() === '' ? [] : [lineOf(line, { file: path, line: index + 1 })]
    })
  }

  #missing(what: string): DecodeError {
    const { path: file } = this.#options
    return new DecodeError('schema-missing', `the registry file ${file} has no schema with ${what}`)
  }
}

/** A schema's version under a subject, which others refer to. */
export interface SubjectVersion {
  readonly subject: string
  readonly version: number
}

interface RegistryLine {
  readonly id: number
  readonly schema: string
  readonly references?: readonly SubjectVersion[]
  readonly subject_versions?: readonly SubjectVersion[]
}

export function versionName({ subject, version }: SubjectVersion): string {
  return `the subject ${subject}, version ${version}`
}

function lineOf(text: string, place: { readonly file: string; readonly line: number }) {
  let line: Partial<RegistryLine> | null
  try {
    line = JSON.parse(text) as Partial<RegistryLine> | null
  } catch {
    line = null
  }
  if (typeof line?.id === 'number' && typeof line.schema === 'string') return line as RegistryLine
  throw new SourceError(
    'source-unreadable',
    `line ${place.line} of the registry file ${place.file} has no "id" and "schema"`,
  )
}

function resolve(
  line: RegistryLine,
  find: (version: SubjectVersion) => RegistryLine,
): RegisteredSchema {
  const references = new Map<string, string>()
  const visit = (one: RegistryLine): void => {
    for (const version of one.references ?? []) {
      const name = versionName(version)
      if (references.has(name)) continue
      const referred = find(version)
      // What it needs itself comes before it; a circle ends where it began.
      references.set(name, referred.schema)
      visit(referred)
      references.delete(name)
      references.set(name, referred.schema)
    }
  }
  visit(line)
  return { schema: line.schema, references: [...references.values()] }
}
