/** `tufgate mirror log|held|approve|reject|acknowledge`. */

import type { Command } from 'commander'
import type { AcknowledgeFlags } from '../mirror/acknowledge-command.ts'
import type { DecisionFlags, HeldFlags } from '../mirror/mirror-approve-command.ts'
import type { MirrorLogFlags } from '../mirror/mirror-log-command.ts'
import { example, type Run } from './registration.ts'

export function addMirrorJournal(mirror: Command, run: Run): void {
  addLog(mirror, run)
  mirror
    .command('held')
    .argument('<folder>', 'the mirror')
    .argument('[project]', 'this project, with every difference to what is signed')
    .description('What waits for a person, and why.')
    .option('--json', 'print it as JSON, a line for each project')
    .addHelpText(
      'after',
      example('tufgate mirror held /srv/mirror', 'tufgate mirror held /srv/mirror flask'),
    )
    .action((folder: string, project: string | undefined, flags: HeldFlags) =>
      run(async () =>
        (await import('../mirror/mirror-approve-command.ts')).runMirrorHeld(folder, project, flags),
      ),
    )
  addDecision(mirror.command('approve'))
    .description('Sign and publish exactly what was held, whatever the index shows by now.')
    .addHelpText(
      'after',
      example(
        'tufgate mirror approve /srv/mirror flask',
        'tufgate mirror approve /srv/mirror --all --kind many-removed',
      ),
    )
    .action((folder: string, projects: string[], flags: DecisionFlags) =>
      run(async () =>
        (await import('../mirror/mirror-approve-command.ts')).runMirrorApprove(
          folder,
          projects,
          flags,
        ),
      ),
    )
  addDecision(mirror.command('reject'))
    .description('Keep what is signed until the index shows something else again.')
    .addHelpText('after', example('tufgate mirror reject /srv/mirror flask'))
    .action((folder: string, projects: string[], flags: DecisionFlags) =>
      run(async () =>
        (await import('../mirror/mirror-approve-command.ts')).runMirrorReject(
          folder,
          projects,
          flags,
        ),
      ),
    )
  addAcknowledge(mirror, run)
}

function addAcknowledge(mirror: Command, run: Run): void {
  mirror
    .command('acknowledge')
    .argument('<folder>', 'the mirror')
    .argument('[projects...]', 'these projects')
    .description(
      'Somebody has looked into a conflict: something that the index shows otherwise than it is signed. What is signed stays. A conflict is said by sync and health for 7 days after the index showed it, or until this, or until the maintainers sign something new; when the index shows something else again it is said anew.',
    )
    .option('--all', 'every conflict that is open')
    .option('--json', 'print the outcome as JSON')
    .addHelpText('after', example('tufgate mirror acknowledge /srv/mirror flask'))
    .action((folder: string, projects: string[], flags: AcknowledgeFlags) =>
      run(async () =>
        (await import('../mirror/acknowledge-command.ts')).runMirrorAcknowledge(
          folder,
          projects,
          flags,
        ),
      ),
    )
}

function addLog(mirror: Command, run: Run): void {
  mirror
    .command('log')
    .argument('<folder>', 'the mirror')
    .argument('[project]', 'only this project')
    .description(
      'What the mirror saw of the index, and what it did about it; or prove that the log is whole.',
    )
    .option('--kind <kind...>', 'only these kinds, such as yanked, late-file or file-revived')
    .option('--since <time>', '"2h" ago, or a date such as 2026-05-01T12:00:00Z')
    .option('--json', 'print JSON lines')
    .option(
      '--verify',
      'find lines that were changed, dropped or reordered. Exit code 3 where there are',
    )
    .option(
      '--head <head>',
      'SEQUENCE:SHA256 that was kept elsewhere: also proves that nothing was cut off',
    )
    .option(
      '--root <file>',
      'verify a copy of the published tree, without the mirror, by this pinned root',
    )
    .addHelpText(
      'after',
      example(
        'tufgate mirror log /srv/mirror --since 7d --kind newest-removed unyanked',
        'tufgate mirror log /srv/mirror flask',
        'tufgate mirror log /srv/mirror --verify',
        'tufgate mirror log /srv/copy-of-public --verify --root 1.root.json',
      ),
    )
    .action((folder: string, project: string | undefined, flags: MirrorLogFlags) =>
      run(async () =>
        (await import('../mirror/mirror-log-command.ts')).runMirrorLog(folder, project, flags),
      ),
    )
}

function addDecision(command: Command): Command {
  return command
    .argument('<folder>', 'the mirror')
    .argument('[projects...]', 'these projects; PROJECT@DIGEST for what was looked at alone')
    .option('--all', 'everything that waits')
    .option('--kind <kind...>', 'what waits with a change of one of these kinds')
    .option('--as-of <time>', 'nothing that was put by later: held says the time')
    .option('--json', 'print the outcome as JSON')
}
