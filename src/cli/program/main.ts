/** The command line: names, flags and help are in this folder; what a command does is in `../`. */

import { Command, CommanderError } from 'commander'
import { exitCodeOf, outliveReaders, sayFailure } from '../terminal.ts'
import { version } from '../version.ts'
import { addAudit } from './audit.ts'
import { addCa } from './ca.ts'
import { addDoctor } from './doctor.ts'
import { addExplain } from './explain.ts'
import { addLock } from './lock.ts'
import { addMirror } from './mirror.ts'
import { addOwner } from './owner.ts'
import { example, type Run } from './registration.ts'
import { addNotary, addPins } from './pins.ts'
import { addRun } from './run.ts'
import { addServe } from './serve.ts'
import { addSidecar } from './sidecar.ts'
import { addTrust } from './trust.ts'
import { addVerify } from './verify.ts'

/** @param argv as `process.argv` */
export async function runProgram(argv: readonly string[]): Promise<number> {
  outliveReaders()
  let exitCode = 0
  const program = buildProgram(async (action) => {
    exitCode = await action()
  })
  try {
    await program.parseAsync(argv)
    return exitCode
  } catch (error) {
    // commander has printed its message, or the help that was asked for.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
    sayFailure(error)
    return exitCodeOf(error)
  }
}

function buildProgram(run: Run): Command {
  const program = new Command('tufgate')
    .description(
      'Checks every page and file between pip and a package index against a signed list.',
    )
    .version(version)
    // A command may have a --version of its own.
    .enablePositionalOptions()
    .exitOverride()
  addServe(program, run)
  addSidecar(program, run)
  addRun(program, run)
  addMirror(program, run)
  addOwner(program, run)
  addVerify(program, run)
  addLock(program, run)
  addAudit(program, run)
  addExplain(program, run)
  addDoctor(program, run)
  addCa(program, run)
  addPins(program, run)
  addNotary(program, run)
  addTrust(program, run)
  nameHelp(program, 'tufgate')
  program.addHelpText(
    'after',
    example(
      'tufgate run -- pip install flask',
      'tufgate serve --index https://pypi.org/simple/',
      'tufgate mirror init /srv/mirror',
      'tufgate mirror sync /srv/mirror --index https://pypi.org/simple/ --project flask',
      'tufgate serve --index https://pypi.org/simple/ --mirror /srv/mirror/public --root 1.root.json',
      'pip install --index-url http://127.0.0.1:8642/simple/ flask',
    ),
  )
  return program
}

/** An error of a command sends to the help of that command. */
function nameHelp(command: Command, name: string): void {
  command.showHelpAfterError(`(${name} --help shows what there is)`)
  for (const child of command.commands) nameHelp(child, `${name} ${child.name()}`)
}
