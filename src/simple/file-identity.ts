/**
 * When two file names are spellings of one file: what installers take for the same project, version,
 * kind, build and tags. Content is not asked for. Other extensions and other tags are other files.
 */

import { parseFilename } from './filename.ts'
import { comparableVersion } from './version-key.ts'

/** Equal texts for spellings of one file. Of what no installer takes by itself each name is its own. */
export function fileIdentity(filename: string, project: string): string {
  const { kind, belongs, version } = parseFilename(filename, project)
  if (!belongs || version === undefined) return `name ${filename}`
  const key = comparableVersion(version)
  if (kind === 'wheel') return `wheel ${key} ${wheelKey(filename)}`
  return kind === 'sdist' ? `sdist ${key} ${sdistExtension(filename)}` : `name ${filename}`
}

/** What follows the version: build tag, and each compressed set of tags in one order (PEP 425, 427). */
function wheelKey(filename: string): string {
  const [, , ...rest] = filename.toLowerCase().slice(0, -'.whl'.length).split('-')
  const build = rest.length > 3 ? buildKey(rest[0] ?? '') : ''
  return [build, ...rest.slice(-3).map(tagSet)].join(' ')
}

/** PEP 427: a number, and what follows it. */
function buildKey(build: string): string {
  return build.replace(/^0+(?=\d)/, '')
}

function tagSet(tags: string): string {
  return [...new Set(tags.split('.'))].toSorted().join('.')
}

function sdistExtension(filename: string): string {
  return /(?:\.tar)?\.[a-z0-9]+$/.exec(filename.toLowerCase())?.[0] ?? ''
}
