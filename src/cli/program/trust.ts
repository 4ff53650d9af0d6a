/** `tufgate trust`: which list is trusted here. */

import type { Command } from 'commander'
import type { TrustFlags } from '../trust/trust-command.ts'
import { example, type Run } from './registration.ts'

export function addTrust(program: Command, run: Run): void {
  const trust = program
    .command('trust')
    .description('Which signed list is trusted here: for those who come later, and to compare.')
  addChoice(trust.command('show'))
    .description('The versions and digests of the newest list, asked for now.')
    .option('-o, --output <file>', 'for others: a floor (serve --floor), or to compare with')
    .option('--json', 'print what --output would write')
    .addHelpText('after', example('tufgate trust show', 'tufgate trust show -o floor.json'))
    .action((flags: TrustFlags) =>
      run(async () => (await import('../trust/trust-command.ts')).runTrustShow(flags)),
    )
  addChoice(trust.command('compare'))
    .argument('<files...>', 'one that was written elsewhere, or two')
    .description('Whether somebody else was shown the same list.')
    .option('--json', 'print the outcome as JSON')
    .addHelpText(
      'after',
      `${example('tufgate trust compare theirs.json', 'tufgate trust compare alice.json bob.json')}\n\nExit code 0: the same list. 3: one version with two contents. 1: it cannot be told yet.`,
    )
    .action((files: readonly string[], flags: TrustFlags) =>
      run(async () => (await import('../trust/trust-command.ts')).runTrustCompare(files, flags)),
    )
}

function addChoice(command: Command): Command {
  return command
    .option('--name <name>', 'of an index, where the settings have several')
    .option('--config <file>', 'settings file, as for serve')
    .option('--index <url>', 'the index, as given to serve')
    .option('--mirror <location...>', 'URL or folder of its mirror')
    .option('--root <file>', 'the pinned 1.root.json of the mirror')
    .option('--state-dir <folder>', 'trusted state, shared with serve')
}
