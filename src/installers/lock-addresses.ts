/**
 * The addresses that a lock file has written down: uv.lock, poetry.lock, pdm.lock, pylock.toml,
 * Pipfile.lock. They are large, so each line is looked at once, by the keys that hold addresses.
 */

import type { Installer, Reference } from './reference.ts'

/** By the name of a file; `undefined` for what is no lock file. */
export function findLockInstaller(fileName: string): Installer | undefined {
  if (/^pylock(?:\.[^.]+)?\.toml$/.test(fileName)) return 'pip'
  return lockFiles.get(fileName)
}

const lockFiles: ReadonlyMap<string, Installer> = new Map([
  ['uv.lock', 'uv'],
  ['poetry.lock', 'poetry'],
  ['pdm.lock', 'pdm'],
  ['Pipfile.lock', 'pipenv'],
])

const tomlAddress = /(?:^|[{,[])\s*(url|registry|git|index)\s*=\s*(?:"([^"\\]+)"|'([^']+)')/g
const jsonAddress = /(?:^|[{,])\s*"(url|git|file)":\s*"((?:[^"\\]|\\.)+)"/g

/** Of `git` in uv.lock and poetry.lock, and of files; paths on this machine are not listed. */
export function listLockAddresses(text: string, fileName: string): Reference[] {
  const installer = findLockInstaller(fileName) ?? 'pip'
  const form = installer === 'pipenv' ? jsonAddress : tomlAddress
  const isGitSource = new Set<number>()
  const lines = text.split('\n')
  return lines.flatMap((content, at) => {
    // poetry.lock says what a source is in the line above its address.
    if (/^type = "(?:git|hg)"/.test(content)) isGitSource.add(at + 1)
    return Array.from(content.matchAll(form), ([, key = '', first, second]): Reference => {
      const value = (first ?? second ?? '').replaceAll(/\\(.)/g, '$1')
      const isGit = key === 'git' || isGitSource.has(at) || value.startsWith('git+')
      const kind = isGit ? 'repository' : 'locked'
      return { kind, installer, line: at + 1, name: key, value }
    }).filter(({ value }) => /^[a-z][a-z0-9+.-]*:\/\//i.test(value) && !value.startsWith('file:'))
  })
}
