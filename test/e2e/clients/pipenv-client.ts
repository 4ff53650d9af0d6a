/** pipenv: `PIPENV_PYPI_MIRROR` takes the place of pypi.org, which stays in the files. */

import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isRunnable, type Client, type ClientProject } from './client.ts'

export const pipenv: Client = {
  name: 'pipenv',
  isPresent: isRunnable('pipenv'),
  saysOfHidden: /No matching distribution found for client-new/,
  saysOfHiddenVersion: /No matching distribution found for client-lib==1\.2/,
  // It tries again with a flag that wants setuptools; where these are there, the 403 is shown.
  saysOfRefusedSync: /An error occurred while installing client-victim==1\.0/,
  open: async (machine, requirements) => {
    const manifest = join(machine.folder, 'Pipfile')
    const locked = join(machine.folder, 'Pipfile.lock')
    const run = (...args: readonly string[]) =>
      machine.run('pipenv', args, {
        PIPENV_PYPI_MIRROR: machine.indexUrl,
        PIPENV_NOSPIN: '1',
        PIPENV_YES: '1',
        PIPENV_VERBOSITY: '-1',
      })
    const project: ClientProject = {
      machine,
      require: (next) => writeFile(manifest, renderManifest(next)),
      install: () => run('install'),
      lock: () => run('lock'),
      sync: () => run('sync'),
      upgrade: () => run('update'),
      readLock: () => readFile(locked, 'utf8'),
      writeLock: (text) => writeFile(locked, text),
    }
    await project.require(requirements)
    return project
  },
}

function renderManifest(requirements: readonly string[]): string {
  const packages = requirements.map((requirement) => {
    const [, name = '', version = ''] = /^([a-z-]+)(.*)$/.exec(requirement) ?? []
    return `${name} = "${version === '' ? '*' : version}"`
  })
  return [
    '[[source]]',
    'name = "pypi"',
    'url = "https://pypi.org/simple"',
    'verify_ssl = true',
    '[packages]',
    ...packages,
    '',
  ].join('\n')
}
