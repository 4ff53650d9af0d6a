/** `tufgate owner key|claim|sign`: for maintainers, on their own machines. */

import { Option, type Command } from 'commander'
import { keyKinds } from '../key-kind.ts'
import type { OwnerClaimFlags, OwnerKeyFlags, OwnerSignFlags } from '../owner/owner-command.ts'
import { example, type Run } from './registration.ts'

export function addOwner(program: Command, run: Run): void {
  const owner = program
    .command('owner')
    .description('Sign your own project, so that no mirror and no index can change it.')
  addOwnerKey(owner, run)
  addOwnerClaim(owner, run)
  addOwnerSign(owner, run)
}

function addOwnerKey(owner: Command, run: Run): void {
  owner
    .command('key')
    .argument('<file>', 'a new file; the public key goes beside it as .pub')
    .description('Make a key, encrypted with a passphrase.')
    .addOption(new Option('--type <type>', 'kind of the key').choices(keyKinds).default('ed25519'))
    .option('--passphrase-file <file>', 'a file of mode 0600 instead of a question')
    .option('--no-passphrase', 'leave it unencrypted: whoever reads the file has the key')
    .option('--json', 'print the outcome as JSON')
    .addHelpText('after', example('tufgate owner key ~/keys/flask-maintainer.pem'))
    .action((file: string, flags: OwnerKeyFlags) =>
      run(async () => (await import('../owner/owner-command.ts')).runOwnerKey(file, flags)),
    )
}

function addKeyOptions(command: Command): Command {
  return command
    .option('--key <key>', 'your key: a file, NAME.signer, or exec:COMMAND')
    .option('--public-key <file>', 'the public key of an exec: command')
    .option('--passphrase-file <file>', 'a file of mode 0600 instead of a question')
}

function addOwnerClaim(owner: Command, run: Run): void {
  addKeyOptions(owner.command('claim'))
    .argument('[project]', 'the project; not with --add')
    .description(
      'Say with which keys the project is signed from now on; for the operator of a mirror.',
    )
    .option(
      '--co-key <file...>',
      'public keys of the others; each of them signs the claim with --add',
    )
    .option('--threshold <n>', 'how many of the keys have to sign a release', '1')
    .option('--old-key <key>', 'for a change of keys: the key of now signs it too')
    .option('--add <claim>', 'add your signature to a claim that is there')
    .option('-o, --output <file>', 'where to write it (with --add: default in place)')
    .addHelpText(
      'after',
      example(
        'tufgate owner claim flask --key me.pem --co-key friend.pub -o flask.claim',
        'tufgate owner claim --add flask.claim --key friend.pem',
        'tufgate owner claim flask --key new.pem --old-key me.pem -o flask.claim',
      ),
    )
    .action((project: string | undefined, flags: OwnerClaimFlags) =>
      run(async () => (await import('../owner/owner-command.ts')).runOwnerClaim(project, flags)),
    )
}

function addOwnerSign(owner: Command, run: Run): void {
  addKeyOptions(owner.command('sign'))
    .argument('[dist...]', 'the wheels and sdists on this machine')
    .description(
      'Check your files against what the index shows, and sign the record of the project.',
    )
    .option('--project <name>', 'the project')
    .option('--mirror <location...>', 'URL or folder of the mirror: what is signed now')
    .option('--root <file>', 'the pinned 1.root.json of the mirror')
    .option('--index <location>', 'the index where the files are; needed for new ones')
    .option('--base-url <url>', 'for an index that is a folder: the URL under which it is served')
    .option('--expires <duration>', 'how long it holds', '365d')
    .option('--only-checked', 'leave out what was signed before and is not given here')
    .option('--yank <version...>', 'yank a version: 1.0 or 1.0="the reason"')
    .option('--unyank <version...>', 'take that back')
    .option('--remove <file...>', 'sign that a file is gone')
    .option('--sign-files', 'every file is a target too, for mirrors that have it so')
    .option('--html-records', 'the page in HTML is a target too, for mirrors that have it so')
    .option('--add <release>', 'add your signature to a release that is there')
    .option('--claim <claim>', 'after a change of keys: the claim that hands over to yours')
    .option('-o, --output <file>', 'where to write it (with --add: default in place)')
    .option('--state-dir <folder>', 'where what was trusted before is remembered')
    .option('--json', 'print the outcome as JSON')
    .addHelpText(
      'after',
      example(
        'tufgate owner sign dist/* --project flask --key me.pem --mirror https://mirror.example/ --root 1.root.json --index https://pypi.org/simple/ -o flask.release',
        'tufgate owner sign --project flask --key me.pem --mirror https://mirror.example/ --root 1.root.json --yank "2.0=breaks logins" -o flask.release',
        'tufgate owner sign dist/* --add flask.release --key friend.pem',
      ),
    )
    .action((dists: string[], flags: OwnerSignFlags) =>
      run(async () => (await import('../owner/owner-command.ts')).runOwnerSign(dists, flags)),
    )
}
