/** The command line: names, flags, help and exit codes. What a command does stands in its own file. */

import { Command, CommanderError, Option } from 'commander'
import {
  showAudit,
  verifyAuditLog,
  type AuditShowFlags,
  type AuditVerifyFlags,
} from './audit-command.ts'
import {
  runMirrorInit,
  runMirrorRenew,
  runMirrorStatus,
  runMirrorSync,
  type MirrorInitFlags,
  type MirrorStatusFlags,
  type MirrorSyncFlags,
} from './mirror-command.ts'
import { runServe, type ServeFlags } from './serve-command.ts'
import { exitCodeOf, outliveReaders, sayFailure } from './terminal.ts'
import { version } from './version.ts'

/** Ends with the exit code of the command. */
type Run = (action: () => Promise<number>) => Promise<void>

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
    .exitOverride()
  addServe(program, run)
  addMirror(program, run)
  addAudit(program, run)
  nameHelp(program, 'tufgate')
  program.addHelpText(
    'after',
    example(
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

function addServe(program: Command, run: Run): void {
  program
    .command('serve')
    .description('Run the proxy that pip talks to.')
    .option(
      '--config <file>',
      'settings file (default: ~/.config/tufgate/tufgate.toml, if there is one)',
    )
    .option(
      '--listen <address...>',
      'host:port to listen on (default: 127.0.0.1:8642 and [::1]:8642)',
    )
    .option('--index <url>', 'the index whose pages the mirror has signed')
    .option(
      '--mirror <location...>',
      'URL or folder with metadata/ and targets/; several are tried in order',
    )
    .option('--root <file>', 'the pinned 1.root.json of the mirror')
    .option(
      '--state-dir <folder>',
      'trusted state, verified files and the audit log (default: $XDG_STATE_HOME/tufgate, or ~/.local/state/tufgate)',
    )
    .addOption(
      new Option('--log-level <level>', 'what goes to standard error').choices([
        'debug',
        'info',
        'warning',
        'error',
      ]),
    )
    .addHelpText(
      'after',
      example(
        'tufgate serve --config tufgate.toml',
        'tufgate serve --index https://pypi.org/simple/ --mirror https://mirror.example/ --root 1.root.json',
      ),
    )
    .action((flags: ServeFlags) => run(() => runServe(flags)))
}

function addMirror(program: Command, run: Run): void {
  const mirror = program
    .command('mirror')
    .description('Make and keep a signing mirror of an index.')
  addMirrorInit(mirror, run)
  addMirrorSync(mirror, run)
  mirror
    .command('renew')
    .argument('<folder>', 'the mirror')
    .description('Sign again what is past half its life; for a timer (run it every few hours).')
    .option('--json', 'print the outcome as JSON')
    .addHelpText('after', example('tufgate mirror renew /srv/mirror'))
    .action((folder: string, flags: MirrorStatusFlags) => run(() => runMirrorRenew(folder, flags)))
  mirror
    .command('status')
    .argument('<folder>', 'the mirror')
    .description('Versions, expiry dates, numbers of projects and what waits for a person.')
    .option('--json', 'print it as JSON')
    .addHelpText('after', example('tufgate mirror status /srv/mirror --json'))
    .action((folder: string, flags: MirrorStatusFlags) => run(() => runMirrorStatus(folder, flags)))
}

function addMirrorInit(mirror: Command, run: Run): void {
  mirror
    .command('init')
    .argument('<folder>', 'a new folder')
    .description('Create keys, roles and an empty signed list.')
    .option(
      '--offline-keys <folder>',
      'where the keys of root, targets and bins go (default: FOLDER-offline-keys)',
    )
    .option('--root-keys <n>', 'number of root keys', '1')
    .option('--root-threshold <m>', 'how many of them have to sign (default: more than half)')
    .addOption(
      new Option('--key-type <type>', 'kind of the keys')
        .choices(['ed25519', 'ecdsa-p256', 'ecdsa-p384', 'rsa-pss'])
        .default('ed25519'),
    )
    .option(
      '--projects <n>',
      'how many projects the index has, roughly; sets the number of bins',
      '1000',
    )
    .option('--bins <n>', 'number of bins, a power of two; instead of --projects')
    .option(
      '--max-unseen <duration>',
      'renew refuses when the index was not seen for longer',
      '24h',
    )
    .option('--project-list', 'also sign the list of all project names')
    .option('--json', 'print the outcome as JSON')
    .addHelpText(
      'after',
      example('tufgate mirror init /srv/mirror --root-keys 3 --root-threshold 2'),
    )
    .action((folder: string, flags: MirrorInitFlags) => run(() => runMirrorInit(folder, flags)))
}

function addMirrorSync(mirror: Command, run: Run): void {
  mirror
    .command('sync')
    .argument('<folder>', 'the mirror')
    .description(
      'Look at the index and sign what it has now. Without a selection: the projects signed before.',
    )
    .option(
      '--index <location>',
      'URL of the index, or a local folder with simple/; needed the first time',
    )
    .option('--base-url <url>', 'for a folder: the URL under which it is served')
    .option('--project <name...>', 'these projects')
    .option('--requirements <file...>', 'the projects that these requirements files name')
    .option('--all', 'every project that the index lists')
    .option('--file-hosts <host...>', "hosts that files may be on besides the index's own")
    .option('--accept-removals', 'sign also when many files or projects are gone at once')
    .option('--accept-index', 'follow another index from now on')
    .option('--json', 'print the outcome as JSON')
    .addHelpText(
      'after',
      example(
        'tufgate mirror sync /srv/mirror --index https://pypi.org/simple/ --requirements requirements.txt',
        'tufgate mirror sync /srv/mirror --index /srv/bandersnatch/web --base-url https://pypi.example/ --all',
        'tufgate mirror sync /srv/mirror',
      ),
    )
    .action((folder: string, flags: MirrorSyncFlags) => run(() => runMirrorSync(folder, flags)))
}

function addAudit(program: Command, run: Run): void {
  const audit = program
    .command('audit')
    .description('Read the audit log, and prove that it is whole.')
  addLogOptions(audit.command('show'))
    .description('Print what was handed out, refused and hidden.')
    .option('--project <name>', 'only this project')
    .option('--kind <kind...>', 'start, refresh, page, released, refused, hidden, warning, stop')
    .option('--id <id...>', 'only these request ids')
    .option('--since <time>', '"2h" ago, or a date such as 2026-05-01T12:00:00Z')
    .option('--until <time>', 'the same')
    .addHelpText('after', example('tufgate audit show --kind refused --since 24h'))
    .action((flags: AuditShowFlags) => run(() => showAudit(flags)))
  addLogOptions(audit.command('verify'))
    .description('Find lines that were changed, inserted, dropped or reordered.')
    .option(
      '--head <head>',
      'CHAIN:SEQ:DIGEST that was kept elsewhere: proves that nothing was cut off',
    )
    .addHelpText('after', example('tufgate audit verify --log ~/.local/state/tufgate/DIGEST/audit'))
    .action((flags: AuditVerifyFlags) => run(() => verifyAuditLog(flags)))
}

function addLogOptions(command: Command): Command {
  return command
    .option('--log <folder>', 'the folder of the log')
    .option('--state-dir <folder>', 'the folder of the state, as given to serve')
    .option('--root <file>', 'the pinned root, where there is state of several')
    .option('--json', 'print JSON lines')
}

function example(...lines: readonly string[]): string {
  return `\nExample${lines.length > 1 ? 's' : ''}:\n${lines.map((line) => `  ${line}`).join('\n')}`
}
