/**
 * One run of a command that signs: bytes in on standard input, bytes out on standard output, within
 * a time and a length. No shell; what the answer is worth is not decided here.
 */

import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process'
import { toPrintable, type Bytes } from '../base/bytes.ts'
import { StorageError, type TufgateError } from '../base/errors.ts'

export interface CommandLine {
  readonly program: string
  readonly parameters: readonly string[]
  /** Where it runs: relative names in it are seen from here. */
  readonly folder: string
  readonly environment: Readonly<Record<string, string>>
  readonly timeLimitMs: number
}

/** No signature comes near it, in whatever encoding. */
const maxAnswerBytes = 16 * 1024
/** Of standard error, its end: there the reason stands. */
const maxComplaintLength = 500

/** What the command answered. Throws SIGNER_FAILED where it could not, or said too much. */
export function runCommand(line: CommandLine, input: Bytes): Promise<Bytes> {
  return new Promise((resolve, reject) => {
    const child = start(line)
    // A process that has no file descriptor to spare gets no pipes, and is told why by this event.
    child.on('error', (cause) => reject(refuseStart(line, cause)))
    if (!('stdin' in child)) return
    const run = new CommandRun(line.program, child)
    const timer = setTimeout(() => run.stop(refuseSlow(line)), line.timeLimitMs)
    child.on('close', (exitCode, signal) => {
      clearTimeout(timer)
      const failure = run.findFailure(exitCode, signal)
      if (failure === undefined) resolve(run.answer)
      else reject(failure)
    })
    // A command that has read enough may close its end; whether it did well says its exit code.
    child.stdin.on('error', () => undefined)
    child.stdin.end(input)
  })
}

function start(line: CommandLine): ChildProcessWithoutNullStreams {
  try {
    return spawn(line.program, line.parameters, {
      cwd: line.folder,
      env: line.environment,
      shell: false,
      stdio: 'pipe',
    })
  } catch (cause) {
    throw refuseStart(line, cause instanceof Error ? cause : new Error(String(cause)))
  }
}

class CommandRun {
  readonly #program: string
  readonly #child: ChildProcessWithoutNullStreams
  readonly #chunks: Bytes[] = []
  #answerBytes = 0
  #complaint = ''
  #failure: TufgateError | undefined

  constructor(program: string, child: ChildProcessWithoutNullStreams) {
    this.#program = program
    this.#child = child
    child.stdout.on('data', (chunk: Bytes) => this.#keep(chunk))
    child.stderr.on('data', (chunk: Bytes) => this.#listen(chunk))
  }

  get answer(): Bytes {
    return Buffer.concat(this.#chunks)
  }

  /**
   * Not with its process group: a group of its own would have no terminal to ask for a PIN. What it
   * started may outlive it, so its pipes are closed on our side.
   */
  stop(failure: TufgateError): void {
    this.#failure ??= failure
    this.#child.kill('SIGKILL')
    this.#child.stdin.destroy()
    this.#child.stdout.destroy()
    this.#child.stderr.destroy()
  }

  findFailure(exitCode: number | null, signal: string | null): TufgateError | undefined {
    if (this.#failure !== undefined || exitCode === 0) return this.#failure
    const end =
      exitCode === null
        ? `was ended by ${signal ?? 'a signal'}`
        : `ended with exit code ${exitCode}`
    const complaint = describeComplaint(this.#complaint)
    return fail(`${describeProgram(this.#program)} ${end}${complaint}`, {
      found: end,
      next: 'Run the command by hand, with any bytes on standard input, and mend what it complains about. A program that reads no pipe takes the path of a file: write {file} in its parameters.',
    })
  }

  #keep(chunk: Bytes): void {
    this.#answerBytes += chunk.length
    if (this.#answerBytes <= maxAnswerBytes) this.#chunks.push(chunk)
    else this.stop(refuseLong(this.#program))
  }

  #listen(chunk: Bytes): void {
    this.#complaint = `${this.#complaint}${Buffer.from(chunk).toString('utf8')}`.slice(-4000)
  }
}

function describeComplaint(raw: string): string {
  const words = raw.trim().replaceAll(/\s+/g, ' ').slice(-maxComplaintLength)
  return words === ''
    ? ', and said nothing on standard error'
    : `: ${toPrintable(words, maxComplaintLength)}`
}

export function describeProgram(program: string): string {
  return `The signing command ${toPrintable(program)}`
}

function refuseStart({ program, folder }: CommandLine, cause: Error): TufgateError {
  const code = 'code' in cause ? String(cause.code) : cause.message
  const problem = code === 'ENOENT' ? 'was not found' : `cannot be started (${toPrintable(code)})`
  return fail(`${describeProgram(program)} ${problem}`, {
    expected: `a program on PATH, or a path as seen from ${toPrintable(folder, 500)}`,
    next: 'Install the program, or name it with its whole path.',
    cause,
  })
}

function refuseSlow({ program, timeLimitMs }: CommandLine): TufgateError {
  return fail(`${describeProgram(program)} did not end within ${timeLimitMs / 1000} s`, {
    next: 'See whether it waits for a PIN or a touch; "timeout-seconds" in the signer file gives it longer.',
  })
}

function refuseLong(program: string): TufgateError {
  return fail(`${describeProgram(program)} wrote more than ${maxAnswerBytes} bytes`, {
    expected: 'a signature',
    next: 'Let it write the signature alone to standard output, and everything else to standard error.',
  })
}

/** What our own signer could not do: nobody was refused anything. */
export function fail(
  message: string,
  facts: ConstructorParameters<typeof StorageError>[2],
): TufgateError {
  return new StorageError('SIGNER_FAILED', message, facts)
}
