/** `tufgate serve`, and the options of whatever starts a proxy. */

import { Option, type Command } from 'commander'
import type { ServeFlags } from '../serve/serve-command.ts'
import { example, type Run } from './registration.ts'

export function addServe(program: Command, run: Run): void {
  addProxyOptions(
    program.command('serve').description('Run the proxy that pip talks to.'),
    'host:port to listen on (default: 127.0.0.1:8642 and [::1]:8642)',
  )
    .addHelpText(
      'after',
      example(
        'tufgate serve',
        'tufgate serve --index https://pypi.org/simple/ --pins pins.txt',
        'tufgate serve --config tufgate.toml',
        'tufgate serve --index https://pypi.org/simple/ --mirror https://mirror.example/ --root 1.root.json',
      ),
    )
    .action((flags: ServeFlags) =>
      run(async () => (await import('../serve/serve-command.ts')).runServe(flags)),
    )
}

export function addProxyOptions(command: Command, listenDescription: string): Command {
  return command
    .option(
      '--config <file>',
      'settings file (default: ~/.config/tufgate/tufgate.toml, if there is one)',
    )
    .option('--listen <address...>', listenDescription)
    .option(
      '--index <url>',
      'the index; needed with --mirror. Without a mirror: trust on first use (default: https://pypi.org/simple/)',
    )
    .option(
      '--mirror <location...>',
      'URL or folder with metadata/ and targets/; several are tried in order',
    )
    .option('--root <file>', 'the pinned 1.root.json of the mirror')
    .option(
      '--floor <file>',
      'trust no older list than the one of this file (tufgate trust show -o FILE), from the first contact on',
    )
    .option(
      '--pins <file>',
      'serve only the files that this file names (tufgate pins export writes it)',
    )
    .option(
      '--state-dir <folder>',
      'trusted state, verified files and the audit log (default: $XDG_STATE_HOME/tufgate, or ~/.local/state/tufgate)',
    )
    .addOption(
      new Option('--log-level <level>', 'what goes to standard error').choices([
        'debug',
        'info',
        'warning',
        'error',
      ]),
    )
}
