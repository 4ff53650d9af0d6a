/** `tufgate verify`. */

import { Option, type Command } from 'commander'
import type { EnvironmentFlags } from '../verify/verify-environment.ts'
import { example, type Run } from './registration.ts'

export function addVerify(program: Command, run: Run): void {
  program
    .command('verify')
    .description('Check files on disk, or all that is installed, against the signed records.')
    .argument('[file...]', 'wheels and sdists')
    .option('--env <folder>', 'a virtual environment, or a folder of pip install --target')
    .option('--receipt <file>', 'with --env: what was found, as text, or as JSON for a .json')
    .addOption(
      new Option(
        '--bytecode <rule>',
        'with --env: whether byte code whose header fits its source will do',
      ).choices(['header', 'refuse']),
    )
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
        'tufgate verify --env .venv --receipt receipt.json',
        'tufgate verify --index https://pypi.org/simple/ --mirror https://mirror.example/ --root 1.root.json foo-1.0-py3-none-any.whl',
      )}\n\nExit code 0: all is in the records, byte code apart (refused with --bytecode refuse). 3: something is not. 1: it could not be told.`,
    )
    .action((files: readonly string[], flags: Partial<EnvironmentFlags>) =>
      run(async () => {
        const { env, ...others } = flags
        if (env !== undefined) {
          const { runVerifyEnvironment } = await import('../verify/verify-environment.ts')
          return runVerifyEnvironment(files, { ...others, env })
        }
        const { runVerify } = await import('../verify/verify-command.ts')
        return runVerify(files, others)
      }),
    )
}
