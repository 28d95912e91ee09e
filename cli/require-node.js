// Plain JavaScript that every Node can read, so that an old one gets an answer, not a syntax error.
const needed = 24
const [major] = process.versions.node.split('.').map(Number)
if (major < needed) {
  console.error(
    `Forager needs Node ${needed} or newer; this is ${process.version}.\n` +
      `In a clone "npm ci" brings Node ${needed} along as a development dependency, and npm scripts use it.\n` +
      'That needs install scripts: if they were off ("npm ci --ignore-scripts"), run "npm ci" again.',
  )
  process.exit(1)
}
