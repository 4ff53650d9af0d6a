/** `tufgate audit show|verify`. */

import type { Command } from 'commander'
import type { AuditShowFlags, AuditVerifyFlags } from '../log/audit-command.ts'
import { example, type Run } from './registration.ts'

export function addAudit(program: Command, run: Run): void {
  const audit = program
    .command('audit')
    .description('Read the audit log, and prove that it is whole.')
  addLogOptions(audit.command('show'))
    .description('Print what was handed out, refused and hidden.')
    .option('--project <name>', 'only this project')
    .option('--kind <kind...>', 'start, refresh, page, released, refused, hidden, warning, stop')
    .option('--id <id...>', 'only these request ids')
    .option('--since <time>', '"2h" ago, or a date such as 2026-05-01T12:00:00Z')
    .option('--until <time>', 'the same')
    .addHelpText('after', example('tufgate audit show --kind refused --since 24h'))
    .action((flags: AuditShowFlags) =>
      run(async () => (await import('../log/audit-command.ts')).showAudit(flags)),
    )
  addLogOptions(audit.command('verify'))
    .description('Find lines that were changed, inserted, dropped or reordered.')
    .option(
      '--head <head>',
      'CHAIN:SEQ:DIGEST that was kept elsewhere: proves that nothing was cut off',
    )
    .addHelpText('after', example('tufgate audit verify --log ~/.local/state/tufgate/DIGEST/audit'))
    .action((flags: AuditVerifyFlags) =>
      run(async () => (await import('../log/audit-command.ts')).verifyAuditLog(flags)),
    )
}

function addLogOptions(command: Command): Command {
  return command
    .option('--log <folder>', 'the folder of the log')
    .option('--state-dir <folder>', 'the folder of the state, as given to serve')
    .option('--root <file>', 'the pinned root, where there is state of several')
    .option('--json', 'print JSON lines')
}
