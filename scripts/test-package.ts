/**
 * Packs the program, installs the package into an empty folder and runs it from there: its commands, and
 * a pipeline as the README has it, with real pip against a small index of this machine.
 */

import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { quoteShell } from '../src/base/quote-shell.ts'
import { buildWheel } from '../test/support/build-wheel.ts'
import { serveFolder, writeIndex } from '../test/support/folder-index.ts'
import { hasPip, warnWithoutPip } from '../test/support/pip.ts'
import { cleanEnvironment, runCommand, type Finished } from '../test/support/program.ts'

const root = join(import.meta.dirname, '..')
const folder = await mkdtemp(join(tmpdir(), 'tufgate-package-'))

/** As in a pipeline: each line, the first that fails ends it. */
function run(...lines: readonly string[]): Promise<Finished> {
  const env = cleanEnvironment({
    HOME: folder,
    PIP_CONFIG_FILE: '/dev/null',
    PIP_NO_CACHE_DIR: '1',
    PIP_DISABLE_PIP_VERSION_CHECK: '1',
    npm_config_cache: join(process.env['HOME'] ?? folder, '.npm'),
    npm_config_audit: 'false',
    npm_config_fund: 'false',
    // What this package is must not depend on what the registry says: nothing is fetched by `npx`.
    npm_config_yes: 'false',
  })
  return runCommand('sh', ['-ec', lines.join('\n')], { cwd: folder, env })
}

async function requireRun(...lines: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await run(...lines)
  if (code !== 0) throw new Error(`${lines.join('\n')}\nended with ${code}:\n${stdout}${stderr}`)
  return stdout
}

function requireText(text: string, wanted: string): void {
  if (!text.includes(wanted)) throw new Error(`"${wanted}" is not in:\n${text}`)
}

async function packInto(target: string): Promise<string> {
  const args = ['pack', '--pack-destination', target, '--silent']
  const packed = await runCommand('npm', args, { cwd: root, env: process.env })
  const archive = (await readdir(target)).find((name) => name.endsWith('.tgz'))
  if (archive === undefined) throw new Error(`npm pack: ${packed.stderr}`)
  return archive
}

/** Without a mirror, and with one; then a file that was changed after it was signed. */
async function tryPipeline(): Promise<void> {
  const wheels = ['1.0', '1.1'].map((version) => buildWheel({ name: 'package-demo', version }))
  await writeIndex(join(folder, 'index'), [{ name: 'package-demo', wheels }])
  const index = await serveFolder(join(folder, 'index'))
  try {
    const lines = await readPipeline(index.url)
    requireText(await requireRun(...lines), '1 file handed out on first use')
    await requireRun(
      `npx tufgate mirror sync mirror --index ${index.url} --all`,
      'cp mirror/public/metadata/1.root.json .',
    )
    const signed = lines.map((line) =>
      line.startsWith('npx tufgate start')
        ? `${line} --mirror mirror/public --root 1.root.json`
        : line,
    )
    requireText(await requireRun(...signed), 'tufgate: 1 file verified')
    await requireRefusal(signed, wheels[1]?.filename ?? '')
  } finally {
    await index.close()
  }
}

/** The lines of the README as they are, but for the index, and the package that is in it. */
async function readPipeline(indexUrl: string): Promise<string[]> {
  const text = await readFile(join(root, 'README.md'), 'utf8')
  const [block] = /^ {4}npm install \.\/tufgate-.*(?:\n {4}.*)+/m.exec(text) ?? []
  if (block === undefined) throw new Error('README.md has no lines for a pipeline any more')
  const own = block
    .replace('https://pypi.org/simple/', indexUrl)
    .replace('pip install flask', 'pip install --force-reinstall package-demo')
  if (!own.includes(indexUrl) || !own.includes('package-demo')) {
    throw new Error(`these lines of README.md name another index or package:\n${block}`)
  }
  return own.split('\n').map((line) => line.trim())
}

async function requireRefusal(lines: readonly string[], filename: string): Promise<void> {
  await writeFile(join(folder, 'index/files', filename), 'something else')
  // Another state: what was verified once is not fetched again.
  const state = ['export XDG_STATE_HOME="$PWD/fresh"']
  const refused = await run(...state, ...lines)
  if (refused.code === 0) throw new Error(`nothing was refused:\n${refused.stdout}`)
  requireText(refused.stderr, 'Refused by tufgate')
  const stopped = await run(...state, 'npx tufgate stop --fail-on-refusal')
  if (stopped.code !== 3) throw new Error(`stop ended with ${stopped.code}:\n${stopped.stderr}`)
}

try {
  const archive = await packInto(folder)
  await writeFile(join(folder, 'package.json'), '{ "private": true }\n')
  await requireRun(`npm install --silent ./${quoteShell(archive)}`)
  requireText(await requireRun('npx tufgate --help'), 'serve')
  await requireRun('npx tufgate mirror init mirror')
  JSON.parse(await requireRun('npx tufgate mirror status mirror --json'))
  process.stdout.write(`${archive} runs from an empty folder\n`)
  warnWithoutPip()
  if (hasPip) {
    await tryPipeline()
    process.stdout.write('its pipeline installs what is in order, and refuses what is not\n')
  }
} finally {
  await rm(folder, { recursive: true, force: true })
}
