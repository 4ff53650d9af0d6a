/** `tufgate mirror skip-versions`. */

import type { Command } from 'commander'
import type { SkipVersionsFlags } from '../mirror/skip-versions-command.ts'
import { example, type Run } from './registration.ts'

export function addSkipVersions(mirror: Command, run: Run): void {
  mirror
    .command('skip-versions')
    .argument('<folder>', 'the mirror')
    .description(
      'After database and published folder came back from one backup: leap over the versions that clients may have seen since. Not needed where the published folder is newer than the database.',
    )
    .option('--by <n>', 'how many', '100000')
    .option('--json', 'print the outcome as JSON')
    .addHelpText('after', example('tufgate mirror skip-versions /srv/mirror'))
    .action((folder: string, flags: SkipVersionsFlags) =>
      run(async () =>
        (await import('../mirror/skip-versions-command.ts')).runSkipVersions(folder, flags),
      ),
    )
}
