/**
 * `npm start`: the main job on this machine, with nothing from outside. A small index of wheels made
 * on the spot, a signing mirror with keys of its own, and the proxy on 127.0.0.1:8642, or where
 * `npm start -- --listen HOST:PORT` says. One file is changed after it was signed, so that a refusal
 * can be seen.
 */

import { mkdtemp, copyFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { ConfigError } from '../src/base/errors.ts'
import { parseListenAddress } from '../src/cli/listen-address.ts'
import { runProgram } from '../src/cli/program/main.ts'
import { exitCodeOf, sayFailure } from '../src/cli/terminal.ts'
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

const usage = `Usage: npm start -- [--listen HOST:PORT]

Tries tufgate out on this machine: a small index, a signing mirror, and the proxy
between them and pip.

  --listen HOST:PORT  where the proxy listens (default: 127.0.0.1:8642)
  --help              this text`

async function main(): Promise<number> {
  const listen = readListen()
  if (listen === undefined) return 0
  await requireFree(listen)
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
    sayWhatToTry(listen, state, join(folder, 'venv'))
    return await tufgate(
      'serve',
      '--listen',
      listen,
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

/** `undefined`: the usage was asked for, and said. */
function readListen(): string | undefined {
  const options = {
    listen: { type: 'string', default: '127.0.0.1:8642' },
    help: { type: 'boolean' },
  } as const
  const { values } = parseArgs({ options })
  if (values.help !== true) return values.listen
  say(usage)
  return undefined
}

/** Before anything is made and said: the commands to try would lead to somebody else's program. */
async function requireFree(listen: string): Promise<void> {
  const { host, port } = parseListenAddress(listen)
  const server = createServer()
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => {
      reject(
        new ConfigError('CONFIG_INVALID', `The demo cannot listen on ${listen}: ${cause.message}`, {
          cause,
          next: 'Choose another port: npm start -- --listen 127.0.0.1:9999',
        }),
      )
    })
    server.listen({ host, port }, () => server.close(() => resolve()))
  })
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

function sayWhatToTry(listen: string, state: string, venv: string): void {
  const pip = `PIP_CONFIG_FILE=/dev/null ${venv}/bin/pip --isolated --disable-pip-version-check install --index-url http://${listen}/simple/`
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

try {
  process.exitCode = await main()
} catch (error) {
  sayFailure(
    isUsageError(error) ? new ConfigError('CONFIG_INVALID', `${error.message}\n${usage}`) : error,
  )
  process.exitCode = isUsageError(error) ? 2 : exitCodeOf(error)
}

function isUsageError(error: unknown): error is Error {
  return (
    error instanceof Error &&
    'code' in error &&
    typeof error.code === 'string' &&
    error.code.startsWith('ERR_PARSE_ARGS')
  )
}
