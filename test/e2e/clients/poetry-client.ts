/** poetry reads no variable for its index: the project names the proxy as its primary source. */

import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isRunnable, refusedVictim, type Client, type ClientProject } from './client.ts'

export const poetry: Client = {
  name: 'poetry',
  isPresent: isRunnable('poetry'),
  saysOfHidden: /depends on client-new \(\*\) which doesn't match any versions/,
  saysOfHiddenVersion: /depends on client-lib \(==1\.2\) which doesn't match any versions/,
  saysOfRefusedSync: refusedVictim,
  open: async (machine, requirements) => {
    const manifest = join(machine.folder, 'pyproject.toml')
    const locked = join(machine.folder, 'poetry.lock')
    const run = (...args: readonly string[]) =>
      // Without a desktop its key ring only stands in the way.
      machine.run('poetry', ['--no-interaction', ...args], {
        PYTHON_KEYRING_BACKEND: 'keyring.backends.null.Keyring',
      })
    const project: ClientProject = {
      machine,
      require: (next) => writeFile(manifest, renderManifest(machine.indexUrl, next)),
      install: () => run('install', '--no-root'),
      lock: () => run('lock'),
      sync: () => run('install', '--no-root', '--sync'),
      upgrade: () => run('update'),
      readLock: () => readFile(locked, 'utf8'),
      writeLock: (text) => writeFile(locked, text),
    }
    await project.require(requirements)
    return project
  },
}

function renderManifest(indexUrl: string, requirements: readonly string[]): string {
  const dependencies = requirements.map((requirement) => {
    const [, name = '', version = ''] = /^([a-z-]+)(.*)$/.exec(requirement) ?? []
    return `${name} = "${version === '' ? '*' : version}"`
  })
  return [
    '[tool.poetry]',
    'name = "trial"',
    'version = "1"',
    'description = ""',
    'authors = []',
    '[tool.poetry.dependencies]',
    'python = "^3.8"',
    ...dependencies,
    '[[tool.poetry.source]]',
    'name = "tufgate"',
    `url = "${indexUrl}"`,
    'default = true',
    '',
  ].join('\n')
}
