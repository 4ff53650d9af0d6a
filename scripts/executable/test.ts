/**
 * Runs dist-executable/tufgate as somebody who has nothing else: in an empty folder, without Node.js in
 * PATH; a mirror of an index, a proxy in the foreground and one in the background, and pip.
 */

import { execFileSync, spawn } from 'node:child_process'
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildWheel } from '../../test/support/build-wheel.ts'
import { serveFolder, writeIndex } from '../../test/support/folder-index.ts'
import { cleanEnvironment, runCommand, type Finished } from '../../test/support/program.ts'

const root = join(import.meta.dirname, '../..')
const folder = mkdtempSync(join(tmpdir(), 'tufgate-executable-'))
const program = join(folder, 'tufgate')
const python = execFileSync('python3', ['-c', 'import sys; print(sys.executable)'], {
  encoding: 'utf8',
}).trim()
// What NODE_OPTIONS says to other programs must not matter.
const env = cleanEnvironment({
  HOME: folder,
  PATH: '/usr/bin:/bin',
  NODE_OPTIONS: '--no-such-flag',
})

async function run(command: string, ...args: readonly string[]): Promise<Finished> {
  const finished = await runCommand(command, args, { cwd: folder, env })
  if (finished.code === 0) return finished
  throw new Error(`${command} ${args.join(' ')}: ${finished.stdout}${finished.stderr}`)
}

function requireText(text: string, wanted: string): void {
  if (!text.includes(wanted)) throw new Error(`"${wanted}" is not in: ${text}`)
}

async function installThrough(origin: string, target: string): Promise<void> {
  const settings = ['--isolated', '--no-input', '--no-cache-dir', '--disable-pip-version-check']
  const where = ['--index-url', `${origin}/simple/`, '--target', join(folder, target)]
  await run(python, '-m', 'pip', 'install', ...settings, ...where, 'smoke')
  await run(python, '-c', `import sys; sys.path.insert(0, "${target}"); import smoke`)
}

/** `tufgate serve` with pip, until SIGTERM. */
async function tryServe(flags: readonly string[]): Promise<void> {
  const proxy = spawn(program, ['serve', '--listen', '127.0.0.1:0', ...flags], { cwd: folder, env })
  try {
    const origin = await new Promise<string>((resolve, reject) => {
      let said = ''
      const read = (chunk: Buffer): void => {
        said += chunk.toString()
        const [, found] = /listening on (http:\/\/127\.0\.0\.1:\d+)/.exec(said) ?? []
        if (found !== undefined) resolve(found)
      }
      proxy.stdout.on('data', read)
      proxy.stderr.on('data', read)
      proxy.on('exit', () => reject(new Error(said)))
    })
    await installThrough(origin, 'by-serve')
  } finally {
    const ended = new Promise((resolve) => proxy.once('exit', resolve))
    proxy.kill('SIGTERM')
    await ended
  }
}

/** `tufgate start`, which runs the executable once more. */
async function tryStart(flags: readonly string[]): Promise<void> {
  await run(program, 'start', ...flags)
  try {
    const { stdout } = await run(program, 'env', '--state-dir', join(folder, 'state'))
    const [, origin = ''] = /PIP_INDEX_URL='?(http:\/\/\S+?)\/simple\//.exec(stdout) ?? []
    await installThrough(origin, 'by-start')
  } finally {
    await run(program, 'stop', '--state-dir', join(folder, 'state'))
  }
}

try {
  copyFileSync(join(root, 'dist-executable/tufgate'), program)
  const manifest = readFileSync(join(root, 'package.json'), 'utf8')
  const { version } = JSON.parse(manifest) as { readonly version: string }
  requireText((await run(program, '--version')).stdout, version)
  requireText((await run(program, '--help')).stdout, 'serve')
  const wheels = [buildWheel({ name: 'smoke', version: '1.0' })]
  await writeIndex(join(folder, 'index'), [{ name: 'smoke', wheels }])
  const index = await serveFolder(join(folder, 'index'))
  await run(program, 'mirror', 'init', 'mirror', '--projects', '10')
  await run(program, 'mirror', 'sync', 'mirror', '--index', index.url, '--all')
  copyFileSync(join(folder, 'mirror/public/metadata/1.root.json'), join(folder, '1.root.json'))
  const flags = [
    `--index=${index.url}`,
    '--mirror=mirror/public',
    '--root=1.root.json',
    `--state-dir=${join(folder, 'state')}`,
  ]
  await tryServe(flags)
  await tryStart(flags)
  await index.close()
  process.stdout.write('the executable makes a mirror, and pip installs through it\n')
} finally {
  rmSync(folder, { recursive: true, force: true })
}
