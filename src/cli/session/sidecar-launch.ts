/** Starts this program once more, in the background, and waits until it is ready or says why it is not. */

import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, constants } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { readArray, readInteger, readMember, readObject, readString } from '../../base/decode.ts'
import { quoteShell } from '../../base/quote-shell.ts'
import { StorageError } from '../../base/errors.ts'
import { openRegular } from '../../store/regular-file.ts'
import { parseSidecar, type SidecarPlace } from './sidecar-file.ts'
import type { SidecarAnswer } from './sidecar-child.ts'

export interface LaunchedSidecar {
  readonly answer: SidecarAnswer
  /** From now on it lives on its own. */
  keep(): Promise<void>
  /** It is not wanted after all. */
  drop(): Promise<void>
}

/** Beyond its own time limit: for a process that does not even say that. */
const graceMs = 15_000

/** @param args of this program, for the process in the background */
export async function launchSidecar(
  place: SidecarPlace,
  args: readonly string[],
  timeoutMs: number,
): Promise<LaunchedSidecar> {
  const child = spawnInBackground(place, args)
  const drop = async (): Promise<void> => {
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    // Its end of the channel tells it; the signal tells one that has no ear for it.
    if (child.connected) child.disconnect()
    const late = sleep(graceMs, 'late', { ref: false })
    if ((await Promise.race([ended, late])) === 'late') child.kill('SIGKILL')
  }
  try {
    const answer = await waitForAnswer(child, place, timeoutMs + graceMs)
    return { answer, drop, keep: () => keep(child) }
  } catch (error) {
    await drop()
    throw error
  }
}

function spawnInBackground({ log }: SidecarPlace, args: readonly string[]): ChildProcess {
  const output = openRegular(log, constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC)
  try {
    return spawn(process.execPath, [...findOwnStart(), ...args], {
      detached: true,
      stdio: ['ignore', output, output, 'ipc'],
    })
  } finally {
    closeSync(output)
  }
}

/** What stands before the arguments of this program. */
function findOwnStart(): string[] {
  const { argv, execArgv, execPath } = process
  const [, script = ''] = argv
  if (script !== execPath) return [...execArgv, script]
  // Of a single executable the script is the executable itself, which takes flags of Node.js in one.
  return execArgv.length === 0 ? [] : [`--node-options=${execArgv.join(' ')}`]
}

async function waitForAnswer(
  child: ChildProcess,
  { log }: SidecarPlace,
  timeoutMs: number,
): Promise<SidecarAnswer> {
  const answered = once(child, 'message').then(([message]) => parseAnswer(message))
  // An answer may be read after the end of the process that gave it.
  const closed = Promise.all([once(child, 'exit'), once(child, 'disconnect')])
  const ended = closed.then(([[code, signal]]) => {
    throw refuseWithLog(`it ended before it was ready (${String(signal ?? code)})`, log)
  })
  const late = sleep(timeoutMs, undefined, { ref: false }).then(() => {
    throw refuseWithLog('it did not say whether it is ready', log)
  })
  late.catch(() => undefined)
  ended.catch(() => undefined)
  return Promise.race([answered, ended, late])
}

function refuseWithLog(problem: string, log: string): StorageError {
  return new StorageError('STORAGE_FAILED', `tufgate did not start: ${problem}`, {
    next: `Its output: cat ${quoteShell(log)}`,
  })
}

function parseAnswer(message: unknown): SidecarAnswer {
  const object = readObject(message)
  const kind = readMember(object, 'kind', readString)
  if (kind === 'ready') {
    return {
      kind,
      sidecar: readMember(object, 'sidecar', parseSidecar),
      indexes: readMember(object, 'indexes', (value) => readArray(value, readString)),
    }
  }
  return {
    kind: 'failed',
    text: readMember(object, 'text', readString),
    exitCode: readMember(object, 'exitCode', (value) => readInteger(value, 0)),
  }
}

async function keep(child: ChildProcess): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    child.send('kept', (error) => (error === null ? resolve() : reject(error)))
  })
  child.disconnect()
  child.unref()
}
