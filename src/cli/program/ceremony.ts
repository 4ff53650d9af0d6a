/** `tufgate mirror root key|new|sign|status|publish`. */

import { Option, type Command } from 'commander'
import type { RootKeyFlags, RootSignFlags, RootStatusFlags } from '../mirror/ceremony-command.ts'
import type { RootNewFlags } from '../mirror/ceremony-flags.ts'
import { keyKinds } from '../key-kind.ts'
import { example, type Run } from './registration.ts'

export function addCeremony(mirror: Command, run: Run): void {
  const root = mirror
    .command('root')
    .description(
      'Change what people sign: root, targets, claimed and bins, and the keys of every role.',
    )
    .addHelpText(
      'after',
      example(
        'tufgate mirror root key keys/alice.pem',
        'tufgate mirror root new /srv/mirror --renew -o change.json',
        'tufgate mirror root sign change.json --key keys/alice.pem --root 1.root.json',
        'tufgate mirror root status change.json',
        'tufgate mirror root publish /srv/mirror change.json',
      ),
    )
  addKey(root, run)
  addNew(root, run)
  addSign(root, run)
  root
    .command('status')
    .argument('<change>', 'the change file')
    .description('What it changes, who has signed, who is missing.')
    .option('--full', 'every change in it, however many there are')
    .option('--json', 'print it as JSON')
    .addHelpText('after', example('tufgate mirror root status change.json'))
    .action((change: string, flags: RootStatusFlags) =>
      run(async () => (await import('../mirror/ceremony-command.ts')).runRootStatus(change, flags)),
    )
  root
    .command('publish')
    .argument('<folder>', 'the mirror')
    .argument('<change...>', 'the change file, or several copies of it that were signed apart')
    .description('Put a change into force that enough people have signed.')
    .option('--json', 'print the outcome as JSON')
    .addHelpText(
      'after',
      example('tufgate mirror root publish /srv/mirror from-alice.json from-bob.json'),
    )
    .action((folder: string, changes: string[], flags: { json?: boolean }) =>
      run(async () =>
        (await import('../mirror/ceremony-command.ts')).runRootPublish(folder, changes, flags),
      ),
    )
}

function addKey(root: Command, run: Run): void {
  root
    .command('key')
    .argument('<file>', 'where the private key goes; FILE.pub is written beside it')
    .description('Make a key for a person, on his own machine.')
    .addOption(new Option('--type <type>', 'kind of the key').choices(keyKinds).default('ed25519'))
    .option('--no-passphrase', 'leave the key unencrypted')
    .option('--passphrase-file <file>', 'a file of mode 0600 that holds the passphrase')
    .option('--json', 'print the outcome as JSON')
    .addHelpText('after', example('tufgate mirror root key keys/alice.pem'))
    .action((file: string, flags: RootKeyFlags) =>
      run(async () => (await import('../mirror/ceremony-command.ts')).runRootKey(file, flags)),
    )
}

function addNew(root: Command, run: Run): void {
  root
    .command('new')
    .argument('<folder>', 'the mirror')
    .requiredOption('-o, --output <change>', 'the change file to write')
    .description('Prepare a change from what is published. Several options may stand together.')
    .option('--add-key <role=file.pub...>', 'a key more for root, targets, claimed or bins')
    .option(
      '--remove-key <role=keyid...>',
      'without this one: its FILE.pub, or the beginning of its id',
    )
    .option('--threshold <role=n...>', 'how many of its keys have to sign')
    .option('--renew', 'sign all four again, with a new expiry')
    .option('--expires <duration>', 'how long what is signed stays valid (default: 365d)')
    .option(
      '--rotate <role...>',
      'a new key for deny, recently-claimed, bins-nn, snapshot or timestamp; ROLE=FILE.pub for one that is made elsewhere',
    )
    .option(
      '--stolen <role...>',
      'all that recovery from the theft of its key needs; ROLE=KEYID where people hold several',
    )
    .option('--bins <n>', 'another number of bins, a power of two')
    .option('--accept-loss-risk', 'a root that ends with the loss of one key')
    .option('--json', 'print the outcome as JSON')
    .addHelpText(
      'after',
      example(
        'tufgate mirror root new /srv/mirror --renew -o yearly.json',
        'tufgate mirror root new /srv/mirror --add-key root=alice.pub root=bob.pub root=carol.pub --remove-key root=3fa91c --threshold root=2 -o custody.json',
        'tufgate mirror root new /srv/mirror --rotate timestamp snapshot -o rotate.json',
        'tufgate mirror root new /srv/mirror --stolen bins-nn -o recovery.json',
        'tufgate mirror root new /srv/mirror --bins 2048 -o bins.json',
      ),
    )
    .action((folder: string, flags: RootNewFlags) =>
      run(async () => (await import('../mirror/ceremony-command.ts')).runRootNew(folder, flags)),
    )
}

function addSign(root: Command, run: Run): void {
  root
    .command('sign')
    .argument('<change>', 'the change file')
    .requiredOption('--key <reference>', 'a key file, a .signer file, or exec:COMMAND')
    .description('Read what is changed, and sign it; needs no network.')
    .option('--public-key <file>', 'for exec: which key the command has')
    .option('--passphrase-file <file>', 'a file of mode 0600 that holds the passphrase')
    .option('--root <file>', 'your own copy of a root of this mirror, to compare with')
    .option('--out <file>', 'write here instead of into the change file')
    .option('--yes', 'do not ask')
    .option('--json', 'print the outcome as JSON')
    .addHelpText(
      'after',
      example('tufgate mirror root sign change.json --key keys/alice.pem --root 1.root.json'),
    )
    .action((change: string, flags: RootSignFlags) =>
      run(async () => (await import('../mirror/ceremony-command.ts')).runRootSign(change, flags)),
    )
}
