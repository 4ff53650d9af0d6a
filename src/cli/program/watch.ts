/** `tufgate mirror check|watch|health`: what keeps a mirror running without a person. */

import type { Command } from 'commander'
import type { MirrorCheckFlags } from '../mirror/check-command.ts'
import type { MirrorHealthFlags, MirrorWatchFlags } from '../mirror/watch-command.ts'
import { example, type Run } from './registration.ts'

export function addMirrorWatch(mirror: Command, run: Run): void {
  addCheck(mirror, run)
  mirror
    .command('watch')
    .argument('<folder>', 'the mirror')
    .description(
      'Sync and renew on intervals until SIGTERM or Ctrl-C; for a service. Writes FOLDER/health.json. [watch] in FOLDER/mirror.toml may say the same as these flags, which override it.',
    )
    .option('--sync-every <duration>', 'between two looks at the index (default: 10min)')
    .option(
      '--renew-every <duration>',
      'between two looks at what is to be signed again (default: a 24th of the life of a timestamp)',
    )
    .option('--all', 'every project that the index lists, not only those that are signed already')
    .option(
      '--credentials <setting>',
      'of a private index: netrc, netrc:FILE, env:NAME or file:FILE; credentials in FOLDER/mirror.toml says the same',
    )
    .addHelpText(
      'after',
      example(
        'tufgate mirror watch /srv/mirror',
        'tufgate mirror watch /srv/mirror --all --sync-every 5min',
      ),
    )
    .action((folder: string, flags: MirrorWatchFlags) =>
      run(async () => (await import('../mirror/watch-command.ts')).runMirrorWatch(folder, flags)),
    )
  mirror
    .command('health')
    .argument('<folder>', 'the mirror')
    .description(
      'How the mirror is: exit code 0 ok, 3 something needs a person soon, 1 it fails or will. What the index shows otherwise than it is signed counts for 7 days, or until mirror acknowledge.',
    )
    .option('--json', 'print it as JSON')
    .addHelpText('after', example('tufgate mirror health /srv/mirror'))
    .action((folder: string, flags: MirrorHealthFlags) =>
      run(async () => (await import('../mirror/watch-command.ts')).runMirrorHealth(folder, flags)),
    )
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
    .action((folder: string, flags: MirrorCheckFlags) =>
      run(async () => (await import('../mirror/check-command.ts')).runMirrorCheck(folder, flags)),
    )
}
