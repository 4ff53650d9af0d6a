/** `tufgate mirror verify-files`. */

import type { Command } from 'commander'
import { runVerifyFiles, type VerifyFilesFlags } from '../verify-files-command.ts'
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
    .action((folder: string, flags: VerifyFilesFlags) => run(() => runVerifyFiles(folder, flags)))
}
