/** The program as a user starts it: a process of its own; built for tests, outside of a run from the sources. */

import { spawn, type ChildProcess, type ChildProcessByStdio } from 'node:child_process'
import { join } from 'node:path'
import type { Readable } from 'node:stream'

const root = join(import.meta.dirname, '..', '..')
/** The variable that names what was built of it. */
export const builtProgram = 'TUFGATE_TEST_PROGRAM'
/** For `node`. */
export const main = findMain()
/** Compiled once for all the processes of all the tests: a start takes a third of the time. */
export const compileCache = join(root, 'node_modules', '.cache', 'tufgate-tests')

export interface Finished {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

/** Nothing of the machine's own settings reaches the program. */
export function cleanEnvironment(extra: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(?:PIP_|UV_|XDG_|NODE_OPTIONS|VITEST|.*_proxy$)/i.test(name),
  )
  return {
    ...Object.fromEntries(kept),
    NO_COLOR: '1',
    NODE_COMPILE_CACHE: compileCache,
    ...extra,
  }
}

/** Runs any command to its end. */
export function runCommand(
  command: string,
  args: readonly string[],
  options: { readonly env?: NodeJS.ProcessEnv; readonly cwd?: string } = {},
): Promise<Finished> {
  const child = spawn(command, args, {
    env: cleanEnvironment(),
    ...options,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  return collect(child)
}

/** Looked up each time: `built-program.ts` may have built it since. */
function findMain(): string {
  return process.env[builtProgram] ?? join(root, 'src', 'main.ts')
}

/** For whoever starts it in his own way. */
export function tufgateCommand(...args: readonly string[]): string[] {
  return [process.execPath, findMain(), ...args]
}

export function runProgram(...args: readonly string[]): Promise<Finished> {
  return runCommand(process.execPath, [findMain(), ...args])
}

/** What a test that failed or ran out of time has left behind. */
const running = new Set<ChildProcess>()
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

function keepTrack(child: ChildProcess): void {
  running.add(child)
  child.once('close', () => running.delete(child))
}

/** What it says until it ends. */
export function collect(child: ChildProcess): Promise<Finished> {
  keepTrack(child)
  const output = { stdout: '', stderr: '' }
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (output.stdout += text))
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (output.stderr += text))
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => resolve({ code, signal, ...output }))
  })
}

export interface RunningProxy {
  /** `http://127.0.0.1:PORT` */
  readonly origin: string
  readonly process: ChildProcess
  /** SIGTERM, and what the process said. */
  stop(signal?: NodeJS.Signals): Promise<Finished>
}

/** `tufgate serve` on a free port; resolves when it says that it listens. */
export function startServe(...args: readonly string[]): Promise<RunningProxy> {
  return startServeIn({}, ...args)
}

/** The same with more variables in its environment. */
export async function startServeIn(
  environment: Readonly<Record<string, string>>,
  ...args: readonly string[]
): Promise<RunningProxy> {
  const child = spawnServe(environment, ...args)
  const finished = collect(child)
  const origin = await new Promise<string>((resolve, reject) => {
    let seen = ''
    child.stdout.on('data', (text: string) => {
      seen += text
      const [, found] = /listening on (http:\/\/127\.0\.0\.1:\d+)/.exec(seen) ?? []
      if (found !== undefined) resolve(found)
    })
    finished.then(
      ({ stderr }) => reject(new Error(`serve ended before it listened: ${stderr}`)),
      reject,
    )
  })
  return {
    origin,
    process: child,
    stop: (signal = 'SIGTERM') => {
      child.kill(signal)
      return finished
    },
  }
}

/** `tufgate serve` on a free port, whatever becomes of it. */
export function spawnServe(
  environment: Readonly<Record<string, string>>,
  ...args: readonly string[]
): SpawnedProgram {
  return spawnProgram(environment, 'serve', '--listen', '127.0.0.1:0', ...args)
}

export type SpawnedProgram = ChildProcessByStdio<null, Readable, Readable>

/** The program, to be watched or killed by the test. */
export function spawnProgram(
  environment: Readonly<Record<string, string>>,
  ...args: readonly string[]
): SpawnedProgram {
  const child = spawn(process.execPath, [findMain(), ...args], {
    env: cleanEnvironment(environment),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  keepTrack(child)
  return child
}
