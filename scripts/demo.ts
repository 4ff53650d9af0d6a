/**
 * `npm start`: the main job on this machine, with nothing from outside. A small index of wheels made
 * on the spot, a signing mirror with keys of its own, and the proxy on 127.0.0.1:8642. One file is
 * changed after it was signed, so that a refusal can be seen.
 */

import { mkdtemp, copyFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runProgram } from '../src/cli/program.ts'
import { buildWheel, type Wheel } from '../test/support/build-wheel.ts'
import { serveFolder, writeIndex } from '../test/support/folder-index.ts'

const greetings = ['1.0', '1.1', '1.2'].map((version) =>
  buildWheel({
    name: 'demo-greeting',
    version,
    code: `def greet(name):\n    return f"Hello {name}, this is demo-greeting ${version}."\n`,
  }),
)

const tools = ['0.9', '1.0'].map((version) =>
  buildWheel({
    name: 'demo-tool',
    version,
    requires: ['demo-greeting>=1.1'],
    code: 'from demo_greeting import greet\n\ndef main():\n    print(greet("world"))\n',
    scripts: { 'demo-tool': 'demo_tool:main' },
  }),
)

const tampered = buildWheel({ name: 'demo-tampered', version: '1.0' })

async function main(): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'tufgate-demo-'))
  const index = join(folder, 'index')
  await writeIndex(index, [
    { name: 'demo-greeting', wheels: greetings },
    { name: 'demo-tool', wheels: tools },
    { name: 'demo-tampered', wheels: [tampered] },
  ])
  const served = await serveFolder(index)
  try {
    const root = await makeMirror(folder, served.url)
    await changeOneByte(join(index, 'files'), tampered)
    const state = join(folder, 'state')
    sayWhatToTry(state, join(folder, 'venv'))
    return await tufgate(
      'serve',
      '--listen',
      '127.0.0.1:8642',
      '--index',
      served.url,
      '--mirror',
      join(folder, 'mirror', 'public'),
      '--root',
      root,
      '--state-dir',
      state,
    )
  } finally {
    await served.close()
    await rm(folder, { recursive: true, force: true })
  }
}

async function makeMirror(folder: string, indexUrl: string): Promise<string> {
  const mirror = join(folder, 'mirror')
  await requireDone('mirror', 'init', mirror, '--projects', '10')
  await requireDone('mirror', 'sync', mirror, '--index', indexUrl, '--all')
  const root = join(folder, 'pinned.1.root.json')
  await copyFile(join(mirror, 'public', 'metadata', '1.root.json'), root)
  return root
}

function tufgate(...args: readonly string[]): Promise<number> {
  return runProgram([process.execPath, 'tufgate', ...args])
}

async function requireDone(...args: readonly string[]): Promise<void> {
  say(`$ tufgate ${args.join(' ')}`)
  const code = await tufgate(...args)
  if (code !== 0) throw new Error(`tufgate ${args.join(' ')} ended with ${code}`)
}

async function changeOneByte(files: string, { filename, bytes }: Wheel): Promise<void> {
  const changed = Buffer.from(bytes)
  const middle = Math.floor(changed.length / 2)
  changed[middle] = (changed[middle] ?? 0) ^ 1
  await writeFile(join(files, filename), changed)
}

function sayWhatToTry(state: string, venv: string): void {
  const pip = `PIP_CONFIG_FILE=/dev/null ${venv}/bin/pip --isolated install --index-url http://127.0.0.1:8642/simple/`
  say(`
The proxy starts now. In another terminal:

  python3 -m venv ${venv}
  ${pip} demo-tool
  ${venv}/bin/demo-tool

  # this file was changed after it was signed: pip is refused, and told why
  ${pip} demo-tampered

  # what was handed out and what was refused
  npx tufgate audit show --state-dir ${state}

Ctrl-C stops it and removes ${join(state, '..')}.
`)
}

function say(text: string): void {
  process.stdout.write(`${text}\n`)
}

process.exitCode = await main()
