/** `tufgate lock`. */

import { Option, type Command } from 'commander'
import type { LockRewriteFlags } from '../verify/lock-command.ts'
import { example, type Run } from './registration.ts'

export function addLock(program: Command, run: Run): void {
  program
    .command('lock')
    .description('Lock files that name the proxy.')
    .command('rewrite')
    .description(
      "Turn the proxy's addresses in lock files into the index's own, or back; nothing else changes.",
    )
    .argument(
      '<file...>',
      'uv.lock, poetry.lock, pdm.lock, pylock.toml, Pipfile.lock or requirements in a .txt',
    )
    .addOption(
      new Option('--to <side>', "whose addresses (default: origin, the index's own)").choices([
        'origin',
        'proxy',
      ]),
    )
    .option(
      '--proxy <url>',
      'the proxy as the lock file shall name it (default: where serve listens)',
    )
    .option('--check', 'change nothing; exit code 3 when something would change')
    .option('--config <file>', 'settings file, as for serve')
    .option('--index <url>', 'the index (default: https://pypi.org/simple/)')
    .option('--json', 'one line for a program')
    .addHelpText(
      'after',
      example(
        'tufgate lock rewrite uv.lock',
        'tufgate lock rewrite --check uv.lock requirements.txt',
        'tufgate lock rewrite --to proxy --proxy http://127.0.0.1:8642 uv.lock',
      ),
    )
    .action((files: readonly string[], flags: LockRewriteFlags) =>
      run(async () => {
        const { runLockRewrite } = await import('../verify/lock-command.ts')
        return runLockRewrite(files, flags)
      }),
    )
}
