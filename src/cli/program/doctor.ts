/** `tufgate doctor`. What it does is loaded only when it is asked for. */

import type { Command } from 'commander'
import type { DoctorFlags } from '../doctor/doctor-command.ts'
import { example, type Run } from './registration.ts'

export function addDoctor(program: Command, run: Run): void {
  program
    .command('doctor')
    .argument('[folder]', 'the project that is looked at', '.')
    .description(
      'Find what goes past the proxy, and what will break soon: settings of pip, uv, poetry, pdm and pipenv, requirements, lock files, caches, the proxy itself, its signed lists, the clock. Nothing is changed. Exit code 0 where it is clean (notes do not count), 3 where there are problems or warnings. Commands in scripts and CI files are not looked into.',
    )
    .option(
      '--config <file>',
      'settings file (default: ~/.config/tufgate/tufgate.toml, if there is one)',
    )
    .option('--listen <address...>', 'where the proxy listens, as given to serve')
    .option('--index <url>', 'the index, as given to serve')
    .option('--mirror <location...>', 'the mirror, as given to serve')
    .option('--root <file>', 'the pinned 1.root.json of the mirror')
    .option('--state-dir <folder>', 'the folder of the state, as given to serve')
    .option('--no-network', 'ask no mirror and no index, only the proxy on this machine')
    .option('--json', 'print it as JSON')
    .addHelpText(
      'after',
      example(
        'tufgate doctor',
        'tufgate doctor --index https://index.example/simple/',
        'tufgate doctor --json path/to/project',
      ),
    )
    .action((folder: string, flags: DoctorFlags) =>
      run(async () => (await import('../doctor/doctor-command.ts')).runDoctor(folder, flags)),
    )
}
