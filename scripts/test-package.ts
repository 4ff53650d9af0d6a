/** Packs the program, installs the package into an empty folder and runs it from there. */

import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')
const folder = mkdtempSync(join(tmpdir(), 'tufgate-package-'))

function run(command: string, args: readonly string[], cwd: string): string {
  return execFileSync(command, args, {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  })
}

try {
  run('npm', ['pack', '--pack-destination', folder, '--silent'], root)
  const archive = readdirSync(folder).find((name) => name.endsWith('.tgz')) ?? ''
  writeFileSync(join(folder, 'package.json'), '{ "private": true }\n')
  run('npm', ['install', '--no-audit', '--no-fund', '--silent', join(folder, archive)], folder)
  const program = join(folder, 'node_modules', '.bin', 'tufgate')
  const help = run(program, ['--help'], folder)
  if (!help.includes('serve')) throw new Error(`unexpected help: ${help}`)
  const mirror = join(folder, 'mirror')
  run(program, ['mirror', 'init', mirror], folder)
  const status = run(program, ['mirror', 'status', mirror, '--json'], folder)
  JSON.parse(status)
  process.stdout.write(`${archive} runs from an empty folder\n`)
} finally {
  rmSync(folder, { recursive: true, force: true })
}
