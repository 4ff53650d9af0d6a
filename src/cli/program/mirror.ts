/** `tufgate mirror init|sync|renew|status`; the other commands of a mirror stand in files of their own. */

import { Option, type Command } from 'commander'
import type {
  MirrorInitFlags,
  MirrorRenewFlags,
  MirrorStatusFlags,
  MirrorSyncFlags,
} from '../mirror/mirror-command.ts'
import { addAuditKeys } from './audit-keys.ts'
import { addCeremony } from './ceremony.ts'
import { addMirrorJournal } from './journal.ts'
import { addMirrorClaims } from './mirror-claims.ts'
import { addMirrorDeny } from './mirror-deny.ts'
import { addMirrorFiles } from './mirror-files.ts'
import { example, type Run } from './registration.ts'
import { addSkipVersions } from './skip-versions.ts'
import { addMirrorWatch } from './watch.ts'

const acceptClockHelp =
  'the clock of this machine is right now, whatever the last signature or the index says'

export function addMirror(program: Command, run: Run): void {
  const mirror = program
    .command('mirror')
    .description('Make and keep a signing mirror of an index.')
  addMirrorInit(mirror, run)
  addMirrorSync(mirror, run)
  addMirrorJournal(mirror, run)
  addMirrorClaims(mirror, run)
  addMirrorDeny(mirror, run)
  addMirrorFiles(mirror, run)
  addCeremony(mirror, run)
  addAuditKeys(mirror, run)
  addMirrorWatch(mirror, run)
  addSkipVersions(mirror, run)
  mirror
    .command('renew')
    .argument('<folder>', 'the mirror')
    .description('Sign again what is past half its life; for a timer (run it every few hours).')
    .option('--all', 'every online role, however young: mends files that are missing or damaged')
    .option('--accept-clock', acceptClockHelp)
    .option('--json', 'print the outcome as JSON')
    .addHelpText('after', example('tufgate mirror renew /srv/mirror'))
    .action((folder: string, flags: MirrorRenewFlags) =>
      run(async () => (await import('../mirror/mirror-command.ts')).runMirrorRenew(folder, flags)),
    )
  mirror
    .command('status')
    .argument('<folder>', 'the mirror')
    .description('Versions, expiry dates, numbers of projects and what waits for a person.')
    .option('--projects', 'only the names of the projects that are signed, one a line')
    .option('--json', 'print it as JSON')
    .addHelpText('after', example('tufgate mirror status /srv/mirror --json'))
    .action((folder: string, flags: MirrorStatusFlags) =>
      run(async () => (await import('../mirror/mirror-command.ts')).runMirrorStatus(folder, flags)),
    )
}

function addMirrorInit(mirror: Command, run: Run): void {
  mirror
    .command('init')
    .argument('<folder>', 'a new folder')
    .description('Create keys, roles and an empty signed list.')
    .option(
      '--offline-keys <folder>',
      'where the keys of root, targets, claimed and bins go (default: FOLDER-offline-keys)',
    )
    .option('--root-keys <n>', 'number of root keys', '1')
    .option('--root-threshold <m>', 'how many of them have to sign (default: more than half)')
    .addOption(
      new Option('--key-type <type>', 'kind of the keys')
        .choices(['ed25519', 'ecdsa-p256', 'ecdsa-p384', 'rsa-pss'])
        .default('ed25519'),
    )
    .option(
      '--projects <n>',
      'how many projects the index has, roughly; sets the number of bins',
      '1000',
    )
    .option('--bins <n>', 'number of bins, a power of two; instead of --projects')
    .option(
      '--max-unseen <duration>',
      'renew refuses when the index was not seen for longer',
      '24h',
    )
    .option('--project-list', 'also sign the list of all project names')
    .option('--sign-files', 'every file is a target too (PEP 458 to the letter); see mirror shape')
    .option('--html-records', 'the HTML page of each project is a target too')
    .option(
      '--snapshot-hashes <on|off|auto>',
      'snapshot says the hash of each bin; auto: of up to 512 bins',
      'auto',
    )
    .option('--json', 'print the outcome as JSON')
    .addHelpText('after', example('tufgate mirror init /srv/mirror --offline-keys /media/offline'))
    .action((folder: string, flags: MirrorInitFlags) =>
      run(async () => (await import('../mirror/mirror-command.ts')).runMirrorInit(folder, flags)),
    )
}

function addMirrorSync(mirror: Command, run: Run): void {
  mirror
    .command('sync')
    .argument('<folder>', 'the mirror')
    .description(
      'Look at the index and sign what it has now. Without a selection: the projects signed before.',
    )
    .option(
      '--index <location>',
      'URL of the index, or a local folder with simple/; needed the first time',
    )
    .option('--base-url <url>', 'for a folder: the URL under which it is served')
    .option('--project <name...>', 'these projects')
    .option('--requirements <file...>', 'the projects that these requirements files name')
    .option('--all', 'every project that the index lists')
    .option('--file-hosts <host...>', "hosts that files may be on besides the index's own")
    .option(
      '--credentials <setting>',
      'of a private index: netrc, netrc:FILE, env:NAME or file:FILE; credentials in FOLDER/mirror.toml says the same',
    )
    .option(
      '--full',
      'compare the records on disk with what is signed, and make damaged ones again; with --all: of every project, also where the serial of the index says that nothing changed',
    )
    .option('--parallel <n>', 'projects looked at, and connections to a host, at a time', '8')
    .option(
      '--no-sizes',
      'do not ask for the lengths that an HTML index leaves out (one HEAD for each new file, the first time for all)',
    )
    .option('--verify-files', 'then download what nobody has compared yet (see verify-files)')
    .option('--contact <address>', 'mail address or URL for the User-Agent; remembered')
    .option('--accept-index', 'follow another index from now on')
    .option('--accept-clock', acceptClockHelp)
    .option('--json', 'print the outcome as JSON')
    .addHelpText(
      'after',
      example(
        'tufgate mirror sync /srv/mirror --index https://pypi.org/simple/ --requirements requirements.txt',
        'tufgate mirror sync /srv/mirror --index /srv/bandersnatch/web --base-url https://pypi.example/ --all',
        'tufgate mirror sync /srv/mirror --index https://pypi.acme.example/simple/ --all --credentials env:ACME_INDEX',
        'tufgate mirror sync /srv/mirror',
      ),
    )
    .action((folder: string, flags: MirrorSyncFlags) =>
      run(async () => (await import('../mirror/mirror-command.ts')).runMirrorSync(folder, flags)),
    )
}
