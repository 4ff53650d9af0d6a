/** `tufgate mirror deny add|remove|list`. */

import type { Command } from 'commander'
import type { DenyAddFlags, DenyFlags } from '../mirror/deny-command.ts'
import { example, type Run } from './registration.ts'

export function addMirrorDeny(mirror: Command, run: Run): void {
  const deny = mirror
    .command('deny')
    .description('Withdraw files at once, whoever signed them: malware, quarantine.')
  addChoice(deny.command('add'))
    .description('Withdraw files, a version, or all of a project. Published at once.')
    .requiredOption('--reason <text>', 'what whoever asks for the file is told')
    .addHelpText(
      'after',
      example(
        'tufgate mirror deny add /srv/mirror flask --version 2.0 --reason "malware, see GHSA-1234"',
        'tufgate mirror deny add /srv/mirror evil-project --reason "malware"',
      ),
    )
    .action((folder: string, project: string, flags: DenyAddFlags) =>
      run(async () =>
        (await import('../mirror/deny-command.ts')).runDenyAdd(folder, project, flags),
      ),
    )
  addChoice(deny.command('remove'))
    .description('Take a denial back. Published at once.')
    .addHelpText('after', example('tufgate mirror deny remove /srv/mirror flask --version 2.0'))
    .action((folder: string, project: string, flags: DenyFlags) =>
      run(async () =>
        (await import('../mirror/deny-command.ts')).runDenyRemove(folder, project, flags),
      ),
    )
  deny
    .command('list')
    .argument('<folder>', 'the mirror')
    .description('What is withdrawn, and why.')
    .option('--json', 'print it as JSON')
    .addHelpText('after', example('tufgate mirror deny list /srv/mirror'))
    .action((folder: string, flags: { json?: boolean }) =>
      run(async () => (await import('../mirror/deny-command.ts')).runDenyList(folder, flags)),
    )
}

function addChoice(command: Command): Command {
  return command
    .argument('<folder>', 'the mirror')
    .argument('<project>', 'the project')
    .option('--file <name...>', 'these files alone')
    .option('--version <version>', 'this version alone, with files of it that come later')
    .option('--json', 'print the outcome as JSON')
}
