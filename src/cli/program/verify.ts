/** `tufgate verify`. */

import type { Command } from 'commander'
import type { VerifyFlags } from '../verify-command.ts'
import { example, type Run } from './registration.ts'

export function addVerify(program: Command, run: Run): void {
  program
    .command('verify')
    .description('Check files on disk against the signed records, without installing anything.')
    .argument('<file...>', 'wheels and sdists')
    .option('--config <file>', 'settings file, as for serve')
    .option('--index <url>', 'the index that they are said to come from')
    .option('--mirror <location...>', 'URL or folder of the mirror that has signed its records')
    .option('--root <file>', 'the pinned 1.root.json of the mirror')
    .option('--state-dir <folder>', 'trusted state and verified files, shared with serve')
    .option('--json', 'one line for a program')
    .addHelpText(
      'after',
      `${example(
        'tufgate verify dist/*.whl',
        'tufgate verify --mirror https://mirror.example/ --root 1.root.json foo-1.0-py3-none-any.whl',
      )}\n\nExit code 0: all of them are in the records. 3: at least one is not. 1: it could not be told.`,
    )
    .action((files: readonly string[], flags: VerifyFlags) =>
      run(async () => {
        const { runVerify } = await import('../verify-command.ts')
        return runVerify(files, flags)
      }),
    )
}
