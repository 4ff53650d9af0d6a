/** `tufgate mirror check|watch|health`: what keeps a mirror running without a person. */

import type { Command } from 'commander'
import { runMirrorCheck, type MirrorCheckFlags } from '../check-command.ts'
import { example, type Run } from './registration.ts'

export function addMirrorWatch(mirror: Command, run: Run): void {
  addCheck(mirror, run)
}

function addCheck(mirror: Command, run: Run): void {
  mirror
    .command('check')
    .argument('<folder>', 'the mirror')
    .description(
      'Read the published tree as clients do, and say what they would refuse. Exit code 3 where anything is found.',
    )
    .option('--full', 'every role and record, not only what is new and a sample of the rest')
    .option('--json', 'print the findings as JSON')
    .addHelpText(
      'after',
      example('tufgate mirror check /srv/mirror', 'tufgate mirror check /srv/mirror --full --json'),
    )
    .action((folder: string, flags: MirrorCheckFlags) => run(() => runMirrorCheck(folder, flags)))
}
