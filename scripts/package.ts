/**
 * What `npm pack` wraps around packing: compiles the program, and shows npm a package.json without
 * what only a checkout needs (its own Node.js, developer tools and scripts). `restore` puts the
 * checkout's own back.
 */

import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')
const manifest = join(root, 'package.json')
const kept = join(root, 'package.json.checkout')

/** Also after a pack that was cut off. */
function restore(): void {
  if (existsSync(kept)) renameSync(kept, manifest)
}

function prepare(): void {
  restore()
  rmSync(join(root, 'dist'), { recursive: true, force: true })
  execFileSync(join(root, 'node_modules/.bin/tsc'), ['-p', 'tsconfig.build.json'], {
    cwd: root,
    stdio: 'inherit',
  })
  const text = readFileSync(manifest, 'utf8')
  const published = JSON.parse(text) as Record<string, unknown>
  delete published['devDependencies']
  delete published['optionalDependencies']
  delete published['scripts']
  writeFileSync(kept, text)
  writeFileSync(manifest, `${JSON.stringify(published, undefined, 2)}\n`)
}

if (process.argv[2] === 'restore') restore()
else prepare()
