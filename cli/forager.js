#!/usr/bin/env node
// Starts the program: a clone runs the TypeScript sources, the package its build.
import './require-node.js'
import { existsSync } from 'node:fs'

const sources = new URL('./main.ts', import.meta.url)
const { main } = await import(existsSync(sources) ? './main.ts' : './main.js')
process.exitCode = await main(process.argv.slice(2))
