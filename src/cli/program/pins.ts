/** `tufgate pins` and `tufgate notary`: what is known without a mirror. */

import type { Command } from 'commander'
import type { NotaryFlags } from '../notary/notary-choice.ts'
import type { PinsExportFlags, PinsImportFlags } from '../notary/pins-command.ts'
import { example, type Run } from './registration.ts'

export function addPins(program: Command, run: Run): void {
  const pins = program
    .command('pins')
    .description('Carry what was seen at first use to other machines and into a repository.')
  addChoice(pins.command('export'))
    .description('Write every file that was seen, one line each: name, version, file, sha256.')
    .option('-o, --output <file>', 'default: standard output')
    .option('--mirror <folder>', 'what this mirror has signed, in place of what was seen here')
    .addHelpText(
      'after',
      example(
        'tufgate pins export -o pins.txt',
        'git diff pins.txt',
        'tufgate pins export --mirror /srv/mirror -o pins.txt',
      ),
    )
    .action((flags: PinsExportFlags) =>
      run(async () => (await import('../notary/pins-command.ts')).runPinsExport(flags)),
    )
  addChoice(pins.command('import'))
    .argument('<file>', 'what tufgate pins export has written')
    .description('Bind the names of a pins file to their digests, before they are seen here.')
    .option('--accept-index', 'also pins of an index that has another URL')
    .option('--json', 'print the outcome as JSON')
    .addHelpText('after', example('tufgate pins import pins.txt', 'tufgate serve --pins pins.txt'))
    .action((file: string, flags: PinsImportFlags) =>
      run(async () => (await import('../notary/pins-command.ts')).runPinsImport(file, flags)),
    )
}

export function addNotary(program: Command, run: Run): void {
  const notary = program
    .command('notary')
    .description('What serve has seen of an index that has no mirror.')
  addChoice(notary.command('forget'))
    .description('Put aside all that was seen, and trust what the index shows from now on.')
    .addHelpText('after', example('tufgate notary forget --index https://pypi.org/simple/'))
    .action((flags: NotaryFlags) =>
      run(async () => (await import('../notary/notary-command.ts')).runNotaryForget(flags)),
    )
}

function addChoice(command: Command): Command {
  return command
    .option('--index <name>', 'name or URL of the index, where there are several')
    .option('--config <file>', 'settings file, as given to serve')
    .option('--state-dir <folder>', 'state, as given to serve')
}
