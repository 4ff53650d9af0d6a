/** `tufgate mirror claims add|accept|list|remove|promote`. */

import type { Command } from 'commander'
import type { ChangeFileFlags, PromoteFlags } from '../mirror/claims-command.ts'
import { example, type Run } from './registration.ts'

interface JsonFlag {
  readonly json?: boolean
}

export function addMirrorClaims(mirror: Command, run: Run): void {
  const claims = mirror
    .command('claims')
    .description('Projects whose maintainers sign for themselves.')
  addIntake(claims, run)
  claims
    .command('list')
    .argument('<folder>', 'the mirror')
    .description('Who has claimed what, with which keys, and whose signature expires soon.')
    .option('--json', 'print it as JSON')
    .addHelpText('after', example('tufgate mirror claims list /srv/mirror'))
    .action((folder: string, flags: JsonFlag) =>
      run(async () => (await import('../mirror/claims-command.ts')).runClaimsList(folder, flags)),
    )
  claims
    .command('promote')
    .argument('<folder>', 'the mirror')
    .argument('[project...]', 'these projects')
    .description(
      'Prepare the change that names owners in the offline role claimed: after its ceremony not even all online keys together can sign these projects.',
    )
    .option('--all', 'every recent claim')
    .option('-o, --output <change>', 'where the change goes that people sign')
    .option('--json', 'print the outcome as JSON')
    .addHelpText(
      'after',
      example('tufgate mirror claims promote /srv/mirror --all -o claims.change'),
    )
    .action((folder: string, projects: string[], flags: PromoteFlags) =>
      run(async () =>
        (await import('../mirror/claims-command.ts')).runClaimsPromote(folder, projects, flags),
      ),
    )
  claims
    .command('remove')
    .argument('<folder>', 'the mirror')
    .argument('<project>', 'the project')
    .description('Drop a claim: the mirror signs the project again.')
    .option('-o, --output <change>', 'for a promoted claim: the change that people sign')
    .option('--json', 'print the outcome as JSON')
    .addHelpText('after', example('tufgate mirror claims remove /srv/mirror flask'))
    .action((folder: string, project: string, flags: ChangeFileFlags) =>
      run(async () =>
        (await import('../mirror/claims-command.ts')).runClaimsRemove(folder, project, flags),
      ),
    )
}

function addIntake(claims: Command, run: Run): void {
  claims
    .command('add')
    .argument('<folder>', 'the mirror')
    .argument('<claim>', 'what tufgate owner claim has made')
    .description('Register the keys of maintainers; nothing changes before their first release.')
    .option('--json', 'print the outcome as JSON')
    .addHelpText('after', example('tufgate mirror claims add /srv/mirror flask.claim'))
    .action((folder: string, claim: string, flags: JsonFlag) =>
      run(async () =>
        (await import('../mirror/claims-command.ts')).runClaimsAdd(folder, claim, flags),
      ),
    )
  claims
    .command('accept')
    .argument('<folder>', 'the mirror')
    .argument('<release...>', 'what tufgate owner sign has made')
    .description('Check what maintainers have signed, and publish it.')
    .option('--json', 'print the outcome as JSON')
    .addHelpText('after', example('tufgate mirror claims accept /srv/mirror flask.release'))
    .action((folder: string, releases: string[], flags: JsonFlag) =>
      run(async () =>
        (await import('../mirror/claims-command.ts')).runClaimsAccept(folder, releases, flags),
      ),
    )
}
