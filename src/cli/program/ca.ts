/** `tufgate ca`: the local authority of interception. */

import { Option, type Command } from 'commander'
import type { CaExportFlags, CaFlags, CaShowFlags } from '../ca/ca-command.ts'
import { example, type Run } from './registration.ts'

export function addCa(program: Command, run: Run): void {
  const ca = program
    .command('ca')
    .description('The local authority with which [intercept] ends TLS to the hosts of an index.')
  addPlace(ca.command('export'))
    .description(
      "Write its certificate for installers. Nothing is put into the system's trust store.",
    )
    .option('--bundle', 'together with the roots that installers trust already')
    .option('-o, --output <file>', 'default: standard output')
    .addOption(
      new Option(
        '--format <format>',
        'env: write the bundle to --output, and print the variables that installers read, for sh',
      )
        .choices(['pem', 'env'])
        .default('pem'),
    )
    .addHelpText(
      'after',
      example(
        'tufgate ca export --bundle -o tufgate-bundle.pem',
        'eval "$(tufgate ca export -o tufgate-bundle.pem --format env)"',
        'HTTPS_PROXY=http://127.0.0.1:8642 pip install --cert tufgate-bundle.pem flask',
      ),
    )
    .action((flags: CaExportFlags) =>
      run(async () => (await import('../ca/ca-command.ts')).runCaExport(flags)),
    )
  addPlace(ca.command('show'))
    .description('Which authorities are kept: name, fingerprint, hosts, dates. Never their keys.')
    .option('--json', 'print them as JSON')
    .addHelpText('after', example('tufgate ca show', 'tufgate ca show --json'))
    .action((flags: CaShowFlags) =>
      run(async () => (await import('../ca/ca-command.ts')).runCaShow(flags)),
    )
  addPlace(ca.command('forget'))
    .description(
      'Delete the key of every authority that is kept; the next start makes another one.',
    )
    .addHelpText('after', example('tufgate ca forget'))
    .action((flags: CaFlags) =>
      run(async () => (await import('../ca/ca-command.ts')).runCaForget(flags)),
    )
}

function addPlace(command: Command): Command {
  return command
    .option('--config <file>', 'settings file, as given to serve')
    .option('--state-dir <folder>', 'state, as given to serve')
}
