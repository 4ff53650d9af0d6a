/** pdm: `PDM_PYPI_URL` is where it resolves, installs and looks for its own updates. */

import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isRunnable, refusedVictim, type Client, type ClientProject } from './client.ts'

export const pdm: Client = {
  name: 'pdm',
  isPresent: isRunnable('pdm'),
  saysOfHidden: /Unable to find candidates for client-new/,
  saysOfHiddenVersion: /Unable to find a resolution for client-lib|ResolutionImpossible/,
  saysOfRefusedSync: refusedVictim,
  open: async (machine, requirements) => {
    const manifest = join(machine.folder, 'pyproject.toml')
    const locked = join(machine.folder, 'pdm.lock')
    const run = (...args: readonly string[]) =>
      machine.run('pdm', args, { PDM_PYPI_URL: machine.indexUrl })
    const project: ClientProject = {
      machine,
      require: (next) => writeFile(manifest, renderManifest(next)),
      install: () => run('install', '--no-self'),
      lock: () => run('lock'),
      sync: () => run('sync', '--no-self', '--clean'),
      upgrade: () => run('update', '--no-self'),
      readLock: () => readFile(locked, 'utf8'),
      writeLock: (text) => writeFile(locked, text),
    }
    await project.require(requirements)
    return project
  },
}

function renderManifest(requirements: readonly string[]): string {
  return [
    '[project]',
    'name = "trial"',
    'version = "1"',
    'requires-python = ">=3.8"',
    `dependencies = ${JSON.stringify(requirements)}`,
    '',
  ].join('\n')
}
