/** Writes the generated documents: see `docs.ts`. */
import { writeFileSync } from 'node:fs'
import { generatedDocs } from './docs.ts'

for (const [path, content] of generatedDocs()) {
  writeFileSync(new URL(`../${path}`, import.meta.url), content)
  console.log(path)
}
