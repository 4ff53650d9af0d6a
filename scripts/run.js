#!/usr/bin/env node
// Runs one command of this checkout with a Node.js that the project supports.
// Plain JavaScript for old versions of Node.js: it is what they start. Where the machine's own
// version is too old, the one from the registry (optionalDependencies) takes its place.

import { spawn } from 'node:child_process'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { findNode } from '../bin/find-node.js'
import { startPassingSignals } from '../bin/pass-signals.js'

const root = fileURLToPath(new URL('..', import.meta.url))
const [command, ...rest] = process.argv.slice(2)
if (command === undefined) {
  process.stderr.write('usage: node scripts/run.js COMMAND|FILE.ts [ARGUMENTS]\n')
  process.exit(2)
}

const node = findNode(root)
const path = [join(node, '..'), join(root, 'node_modules', '.bin'), process.env.PATH].join(
  delimiter,
)
const isScript = /\.(ts|js)$/.test(command)
const options = { stdio: 'inherit', env: { ...process.env, PATH: path } }
const child = startPassingSignals(() =>
  isScript ? spawn(node, [command, ...rest], options) : spawn(command, rest, options),
)

child.on('error', (error) => {
  process.stderr.write(`tufgate: cannot start ${command}: ${error.message}. Run "npm ci" first.\n`)
  process.exit(1)
})
child.on('exit', (code, signal) => {
  process.exit(
    signal === null
      ? (code ?? 1)
      : 128 + ({ SIGINT: 2, SIGTERM: 15, SIGKILL: 9, SIGHUP: 1 }[signal] ?? 0),
  )
})
