/** `tufgate explain`. */

import type { Command } from 'commander'
import type { ExplainFlags } from '../log/explain-command.ts'
import { example, type Run } from './registration.ts'

export function addExplain(program: Command, run: Run): void {
  program
    .command('explain')
    .description('Say why a request was refused, hidden or delivered, and what to do now.')
    .argument('<id...>', 'the id, or the whole line in which it stands')
    .option('--log <folder>', 'the folder of the log; default: every log in the state')
    .option('--state-dir <folder>', 'the folder of the state, as given to serve')
    .option('--root <file>', 'the log of this pinned root alone')
    .option('--json', 'print JSON lines')
    .addHelpText(
      'after',
      example(
        'tufgate explain r-eo64k2m5',
        'tufgate explain "ERROR: 403 Client Error: Refused by tufgate: ... (r-eo64k2m5) for url"',
      ),
    )
    .action((ids: string[], flags: ExplainFlags) =>
      run(async () => {
        const { explainIds } = await import('../log/explain-command.ts')
        return explainIds(ids, flags)
      }),
    )
}
