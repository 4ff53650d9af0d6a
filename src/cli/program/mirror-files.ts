/** `tufgate mirror verify-files` and `mirror shape`. */

import type { Command } from 'commander'
import type { ShapeFlags } from '../mirror/shape-command.ts'
import type { VerifyFilesFlags } from '../mirror/verify-files-command.ts'
import { example, type Run } from './registration.ts'

export function addMirrorFiles(mirror: Command, run: Run): void {
  mirror
    .command('verify-files')
    .argument('<folder>', 'the mirror')
    .description(
      'Download every signed file once, and compare it with what is signed: sha256, size, and METADATA in wheels. It goes on where it was; syncs can run meanwhile.',
    )
    .option('--project <name...>', 'the files of these projects alone')
    .option('--parallel <n>', 'files downloaded at a time', '4')
    .option('--json', 'print the outcome as JSON')
    .addHelpText(
      'after',
      example(
        'tufgate mirror verify-files /srv/mirror',
        'tufgate mirror verify-files /srv/mirror --project flask --json',
      ),
    )
    .action((folder: string, flags: VerifyFilesFlags) =>
      run(async () =>
        (await import('../mirror/verify-files-command.ts')).runVerifyFiles(folder, flags),
      ),
    )
  mirror
    .command('shape')
    .argument('<folder>', 'the mirror')
    .description('What is signed besides the records: show it, or change it. Published at once.')
    .option('--sign-files <on|off>', 'every file is a target too (PEP 458 to the letter)')
    .option('--html-records <on|off>', 'the HTML page of each project is a target too')
    .option(
      '--snapshot-hashes <on|off|auto>',
      'snapshot says the hash of each bin; auto: of up to 512 bins',
    )
    .option('--json', 'print it as JSON')
    .addHelpText(
      'after',
      example(
        'tufgate mirror shape /srv/mirror',
        'tufgate mirror shape /srv/mirror --sign-files on',
      ),
    )
    .action((folder: string, flags: ShapeFlags) =>
      run(async () => (await import('../mirror/shape-command.ts')).runMirrorShape(folder, flags)),
    )
}
