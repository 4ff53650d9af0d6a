/** `tufgate mirror audit-keys`. */

import type { Command } from 'commander'
import type { AuditKeysFlags } from '../mirror/audit-keys-command.ts'
import { example, type Run } from './registration.ts'

export function addAuditKeys(mirror: Command, run: Run): void {
  mirror
    .command('audit-keys')
    .argument('<folder>', 'the mirror')
    .description('Every key, where it is, and what it would be worth to a thief.')
    .option('--json', 'print it as JSON')
    .addHelpText('after', example('tufgate mirror audit-keys /srv/mirror'))
    .action((folder: string, flags: AuditKeysFlags) =>
      run(async () =>
        (await import('../mirror/audit-keys-command.ts')).runAuditKeys(folder, flags),
      ),
    )
}
