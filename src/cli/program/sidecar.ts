/** `tufgate start`, `tufgate env` and `tufgate stop`: a proxy in the background for the steps of a pipeline. */

import { Option, type Command } from 'commander'
import type { EnvFlags } from '../session/env-command.ts'
import type { StartFlags } from '../session/start-command.ts'
import type { StopFlags } from '../session/stop-command.ts'
import { example, type Run } from './registration.ts'
import { addProxyOptions } from './serve.ts'

const stopHelp = `
Exit code: 0; 3 with --fail-on-refusal where something was refused; 1 where the proxy was gone (killed, or
it crashed), its log is not whole, or a report cannot be written; 2 where none was started.
In a step of GitHub Actions it adds to the summary of the job and to the annotations of the run.`

const envHelp = `
They hold an address that is a secret: who knows it uses the proxy. After "tufgate stop" they lead nowhere.
pipenv writes PIP_INDEX_URL into a new Pipfile: unset it before (its own variable is enough).`

export function addSidecar(program: Command, run: Run): void {
  addStart(program, run)
  addEnv(program, run)
  addStop(program, run)
}

function addStart(program: Command, run: Run): void {
  addProxyOptions(
    program
      .command('start')
      .description('Start the proxy in the background, and wait until it is ready.'),
    'host:port to listen on (default: a free port of 127.0.0.1)',
  )
    .option('--name <name>', 'to have several at once (default: "default")')
    .option(
      '--timeout <duration>',
      'how long to wait for a mirror that does not answer (default: 60s)',
    )
    .option(
      '--intercept',
      'what installers ask pypi.org itself comes to the proxy too, by certificates of an authority that ends with it',
    )
    .option('--json', 'print JSON')
    .addOption(new Option('--background').hideHelp())
    .addHelpText(
      'after',
      example(
        'tufgate start --index https://pypi.org/simple/ --mirror https://mirror.example/ --root 1.root.json',
        'eval "$(tufgate env)"',
        'pip install -r requirements.txt',
        'tufgate stop --fail-on-refusal',
      ),
    )
    .action((flags: StartFlags) =>
      run(async () => (await import('../session/start-command.ts')).runStart(flags)),
    )
}

function addEnv(program: Command, run: Run): void {
  addPlaceOptions(
    program
      .command('env')
      .description('Print the variables that make installers use the proxy that was started.'),
  )
    .addOption(
      new Option('--format <format>', 'for whom').choices([
        'sh',
        'github',
        'gitlab',
        'powershell',
        'json',
      ]),
    )
    .option('--write', 'append to the file that $GITHUB_ENV names (with --format github)')
    .addHelpText(
      'after',
      `${example(
        'eval "$(tufgate env)"',
        'tufgate env --format github --write',
        'tufgate env --format powershell | Out-String | Invoke-Expression',
      )}\n${envHelp}`,
    )
    .action((flags: EnvFlags) =>
      run(async () => (await import('../session/env-command.ts')).runEnv(flags)),
    )
}

function addStop(program: Command, run: Run): void {
  const stop = addPlaceOptions(
    program
      .command('stop')
      .description('Stop the proxy that was started, and say what it verified, refused and hid.'),
  ).option('--fail-on-refusal', 'exit code 3 where something was refused')
  addReportOptions(stop)
    .addHelpText(
      'after',
      `${example(
        'tufgate stop',
        'tufgate stop --fail-on-refusal --junit tufgate.xml --sarif tufgate.sarif',
      )}\n${stopHelp}`,
    )
    .action((flags: StopFlags) =>
      run(async () => (await import('../session/stop-command.ts')).runStop(flags)),
    )
}

/** In which forms the summary of a session can be had. */
export function addReportOptions(command: Command): Command {
  return command
    .option('--summary <file>', 'write the summary as Markdown')
    .option('--junit <file>', 'write it as JUnit XML')
    .option('--sarif <file>', 'write what was refused as SARIF 2.1.0')
    .option('--code-quality <file>', 'write what was refused as a Code Quality report of GitLab')
    .option('--json <file>', 'write all of it as JSON')
}

function addPlaceOptions(command: Command): Command {
  return command
    .option('--name <name>', 'as it was given to start')
    .option('--state-dir <folder>', 'as it was given to start')
    .option('--config <file>', 'as it was given to start')
}
