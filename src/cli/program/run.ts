/** `tufgate run`. */

import type { Command } from 'commander'
import type { RunFlags } from '../session/run-command.ts'
import { example, type Run } from './registration.ts'
import { addProxyOptions } from './serve.ts'
import { addReportOptions } from './sidecar.ts'

const help = `
The command, and nothing else, gets the address of a proxy of its own for pip, uv, pdm and pipenv, and
settings files without what leads past it. Its input, its output and its signals stay as they are.
What no variable can redirect goes past the proxy all the same, and is not seen:
  - poetry (without poetry-plugin-pypi-mirror), easy_install, and what is no package of an index (git, npm, conda)
  - sources in pyproject.toml, pdm.toml and Pipfile
  - -i, --extra-index-url, --find-links, --proxy and direct URLs, on a command line or in a file of
    requirements or constraints: said before the command starts where it is the command itself that gets
    them; with --strict it is not started. What stands in a script or behind sh -c is not looked into
  - what the command sets itself (a Makefile, tox.ini, .env), and what it starts without these variables
    (sudo, docker, tox before 4)
  - what installers kept in their caches before
"tufgate doctor" finds most of these. --intercept catches what asks other machines by the proxy of the
environment: what it asks of the index is verified, other hosts are refused unless [forward] in the
settings allows them. Nothing here holds back code that means to go past it, such as a setup.py.
What outlives the command has no proxy any more: end it, before somebody else takes the port.
A lock file that the command writes may hold the address of the proxy: "tufgate lock rewrite" mends it.

Exit code: that of the command (128+n where signal n ended it); 3 where something was refused and the
command said 0; 1 or 2 where tufgate itself failed, 2 where --strict refused; 127 and 126 for a command that cannot be started.`

export function addRun(program: Command, run: Run): void {
  const command = addProxyOptions(
    program
      .command('run')
      .description('Run one command whose installers use a proxy of their own.')
      .usage('[options] -- <command...>')
      .argument('<command...>', 'the command, behind --')
      .passThroughOptions(),
    'host:port to listen on (default: a free port of 127.0.0.1)',
  ).option(
    '--intercept',
    'all that the command asks of other machines by HTTP and HTTPS comes to the proxy: pypi.org is verified too, by certificates of an authority that ends with the command',
  )
  command.option(
    '--strict',
    'start nothing (exit code 2) where the command line, or a file that it names, leads past the proxy; without it that is said, and the command runs',
  )
  addReportOptions(command)
    .addHelpText(
      'after',
      `${example(
        'tufgate run -- pip install flask',
        'tufgate run --pins pins.txt -- uv sync',
        'tufgate run --strict -- pip install -r requirements.txt',
        'tufgate run --intercept -- poetry install',
        'tufgate run --mirror https://mirror.example/ --root 1.root.json --index https://pypi.org/simple/ -- make test',
      )}\n${help}`,
    )
    .action((words: readonly string[], flags: RunFlags) =>
      run(async () => (await import('../session/run-command.ts')).runCommand(words, flags)),
    )
}
