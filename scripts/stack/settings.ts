/** Settings files of the parts: `@NAME@` stands for a value that depends on ports and folders. */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { resources } from './parts.ts'

export type Values = Readonly<Record<string, string | number>>

/** `template` lies beneath this folder. */
export async function writeSettings(
  template: string,
  target: string,
  values: Values,
): Promise<void> {
  await mkdir(dirname(target), { recursive: true })
  await writeFile(target, fill(await readFile(join(resources, template), 'utf8'), values))
}

function fill(text: string, values: Values): string {
  return text.replaceAll(/@([A-Z][A-Z0-9_]*)@/g, (_, name: string) => {
    const value = values[name]
    if (value === undefined) throw new Error(`no value is known for @${name}@`)
    return String(value)
  })
}
