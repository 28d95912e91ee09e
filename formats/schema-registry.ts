/**
 * Where the schemas of messages are that carry only an id: the seam, and the registry that is a file
 * beside recorded events. Over HTTP: `confluent-registry.ts`.
 */
import { DecodeError } from '../model/errors.ts'

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

/**
 * A registry as a file: a JSON line a schema, `{"id": 7, "schema": "…", "references": [{"subject": …,
 * "version": …}], "subject_versions": [{"subject": …, "version": …}]}`; the last two may be left out.
 * Throws DecodeError `schema-invalid` with the line that is not so.
 */
export function fileRegistry(text: string, file: string): SchemaRegistry {
  const lines = text.split('\n').flatMap((line, index) => {
    return line.trim() === '' ? [] : [lineOf(line, { file, line: index + 1 })]
  })
  const byId = new Map(lines.map(line => [line.id, line]))
  const byVersion = new Map(
    lines.flatMap(line => {
      return (line.subject_versions ?? []).map(version => [versionName(version), line] as const)
    }),
  )
  const known = new Map<number, RegisteredSchema>()
  const missing = (what: string): DecodeError =>
    new DecodeError('schema-missing', `${file} has no schema with ${what}`, { context: { file } })
  return {
    find: id => {
      const found = known.get(id)
      if (found !== undefined) return found
      const line = byId.get(id)
      if (line === undefined) return null
      const resolved = resolve(line, version => {
        const referred = byVersion.get(versionName(version))
        if (referred === undefined) throw missing(versionName(version))
        return referred
      })
      known.set(id, resolved)
      return resolved
    },
    fetch: id => Promise.reject(missing(`the id ${id}`)),
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
  throw new DecodeError('schema-invalid', 'a line of the registry file has no "id" and "schema"', {
    context: place,
  })
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
