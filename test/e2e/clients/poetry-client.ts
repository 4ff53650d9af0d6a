/**
 * poetry reads no variable for its index: the project names the proxy as its primary source. Where it names
 * none, poetry asks https://pypi.org, for JSON that no other index has.
 */

import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  isRunnable,
  refusedVictim,
  type Client,
  type ClientProject,
  type Machine,
} from './client.ts'

const isPresent = isRunnable('poetry')

export const poetry = describePoetry('poetry', (indexUrl) => [
  '[[tool.poetry.source]]',
  'name = "tufgate"',
  `url = "${indexUrl}"`,
  'default = true',
])

/** The commonest project. */
export const poetryOfPypi = describePoetry('poetry without a source', () => [])

function describePoetry(
  name: string,
  renderSource: (indexUrl: string) => readonly string[],
): Client {
  return {
    name,
    isPresent,
    saysOfHidden: /depends on client-new \(\*\) which doesn't match any versions/,
    saysOfHiddenVersion: /depends on client-lib \(==1\.2\) which doesn't match any versions/,
    saysOfRefusedSync: refusedVictim,
    open: async (machine, requirements) => {
      const project = describeProject(machine, renderSource(machine.indexUrl))
      await project.require(requirements)
      return project
    },
  }
}

function describeProject(machine: Machine, source: readonly string[]): ClientProject {
  const manifest = join(machine.folder, 'pyproject.toml')
  const locked = join(machine.folder, 'poetry.lock')
  const run = async (...args: readonly string[]): ReturnType<Machine['run']> =>
    runPoetry(machine, ...args)
  return {
    machine,
    require: (next) => writeFile(manifest, renderManifest(next, source)),
    install: () => run('install', '--no-root'),
    lock: () => run('lock'),
    sync: () => run('install', '--no-root', '--sync'),
    upgrade: () => run('update'),
    readLock: () => readFile(locked, 'utf8'),
    writeLock: (text) => writeFile(locked, text),
  }
}

export function runPoetry(
  machine: Machine,
  ...args: readonly string[]
): ReturnType<Machine['run']> {
  // Without a desktop its key ring only stands in the way.
  return machine.run('poetry', ['--no-interaction', ...args], {
    PYTHON_KEYRING_BACKEND: 'keyring.backends.null.Keyring',
  })
}

function renderManifest(requirements: readonly string[], source: readonly string[]): string {
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
    ...source,
    '',
  ].join('\n')
}
