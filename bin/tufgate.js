#!/usr/bin/env node
// The command `tufgate`: the compiled program where there is one, the source in a checkout.
// Plain JavaScript for old versions of Node.js, which get a sentence instead of a syntax error.

import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { findNode } from './find-node.js'

const root = fileURLToPath(new URL('..', import.meta.url))
const source = join(root, 'src', 'main.ts')
const main = existsSync(source) ? source : join(root, 'dist', 'main.js')
const node = findNode(root)

if (node === process.execPath) {
  process.argv[1] = main
  await import(pathToFileURL(main).href)
} else {
  const child = spawn(node, [main, ...process.argv.slice(2)], { stdio: 'inherit' })
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  // The terminal sends Ctrl-C to both; the program decides when to go.
  process.on('SIGINT', () => undefined)
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code ?? 1)
    process.kill(process.pid, signal)
  })
}
