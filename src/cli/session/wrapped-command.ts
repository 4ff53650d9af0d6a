/**
 * The command that `run` wraps: it has our terminal, stands in our process group, and gets each signal
 * that is meant for it once.
 */

import { spawn, type ChildProcess } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { constants } from 'node:os'
import { toPrintable } from '../../base/bytes.ts'
import { findErrno } from '../../store/storage-error.ts'

export interface CommandLine {
  readonly command: string
  readonly args: readonly string[]
  readonly environment: Readonly<Record<string, string>>
}

export interface CommandOutcome {
  /** As a shell gives it: 128+n for a signal, 127 and 126 for a command that did not start. */
  readonly exitCode: number
  /** Why it did not start. */
  readonly problem?: string
}

const passedOn = ['SIGINT', 'SIGQUIT', 'SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const

/** What a terminal sends to all of a group, the command included. */
const typed: ReadonlySet<NodeJS.Signals> = new Set(['SIGINT', 'SIGQUIT'])

/** A command that does not end when it is told to has this long. */
const mercyMs = 5000

/** A wrapper such as npm passes Ctrl-C on, late: what follows on the end of the command is the same one. */
const impatienceMs = 1000

export class WrappedCommand {
  #child: ChildProcess | undefined
  #early: NodeJS.Signals | undefined
  #earlyAt: number | undefined
  #endedAt: number | undefined

  /** Signals count from here on, before there is anything to pass them to. */
  constructor() {
    for (const signal of passedOn) process.on(signal, () => this.#take(signal))
  }

  /** What came before the command was started; it must not be started any more. */
  get early(): NodeJS.Signals | undefined {
    return this.#early
  }

  run({ command, args, environment }: CommandLine): Promise<CommandOutcome> {
    return new Promise((resolve) => {
      const end = (outcome: CommandOutcome): void => {
        this.#endedAt = performance.now()
        resolve(outcome)
      }
      try {
        this.#child = spawn(command, args, { stdio: 'inherit', env: environment })
      } catch (error) {
        // A name with a zero byte, as it is.
        return end(describeFailedStart(command, error))
      }
      this.#child.once('error', (error) => end(describeFailedStart(command, error)))
      this.#child.once('exit', (code, signal) =>
        end({ exitCode: signal === null ? (code ?? 1) : exitCodeOfSignal(signal) }),
      )
    })
  }

  /** Nothing may go on without the proxy. */
  kill(): void {
    const child = this.#child
    if (child === undefined || this.#endedAt !== undefined) return
    child.kill('SIGTERM')
    setTimeout(() => child.kill('SIGKILL'), mercyMs).unref()
  }

  #take(signal: NodeJS.Signals): void {
    const since = this.#endedAt ?? this.#earlyAt
    if (since !== undefined) {
      if (performance.now() - since > impatienceMs) process.exit(exitCodeOfSignal(signal))
    } else if (this.#child === undefined) {
      this.#early = signal
      this.#earlyAt = performance.now()
    } else if (!typed.has(signal) || !isAtTerminal()) this.#child.kill(signal)
  }
}

export function exitCodeOfSignal(signal: NodeJS.Signals): number {
  return 128 + constants.signals[signal]
}

/**
 * Whether Ctrl-C reaches this process from a terminal, and so the command as well. Nothing tells by whom
 * a signal was sent: one that somebody sends to a process in the foreground is taken for Ctrl-C.
 */
function isAtTerminal(): boolean {
  try {
    // proc(5): the name stands in brackets and may hold any letters; then state, parent, group, session,
    // terminal, and the group in its foreground.
    const stat = readFileSync('/proc/self/stat', 'latin1')
    const [, , group, , terminal, foreground] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return terminal !== '0' && group === foreground
  } catch {
    return process.stdin.isTTY || process.stderr.isTTY
  }
}

function describeFailedStart(command: string, error: unknown): CommandOutcome {
  const name = toPrintable(command, 200)
  if (name === '') return { exitCode: 127, problem: 'nothing was started: the command is empty.' }
  if (findErrno(error) === 'ENOENT') {
    const where = command.includes('/') ? 'is not there' : 'is in no folder of PATH'
    return {
      exitCode: 127,
      problem: `${name} was not started: it ${where}, or the program that its first line names is not.`,
    }
  }
  if (findErrno(error) === 'EACCES') {
    return {
      exitCode: 126,
      problem: `${name} was not started: it is no file that this user may execute.`,
    }
  }
  const reason = error instanceof Error ? error.message : String(error)
  return { exitCode: 126, problem: `${name} was not started: ${toPrintable(reason, 300)}` }
}
