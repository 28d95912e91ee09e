#!/usr/bin/env node
// Starts the program. This file is plain JavaScript that every Node can read, so that an old one gets
// an answer instead of a syntax error.
const needed = 24
const [major] = process.versions.node.split('.').map(Number)
if (major < needed) {
  console.error(
    `Forager needs Node ${needed} or newer; this is ${process.version}.\n` +
      'In a clone, "npm ci" brings Node 24 along as a development dependency, and npm scripts then use\n' +
      'it. That needs install scripts: if you ran "npm ci --ignore-scripts", run "npm ci" again.',
  )
  process.exit(1)
}
// A clone runs the TypeScript sources, the package its build.
const { main } = await import(
  import.meta.url.endsWith('/dist/cli/forager.js') ? './main.js' : './main.ts'
)
process.exitCode = await main(process.argv.slice(2))
