/** Whether what is given as a mirror can be one: an http(s) URL, or a folder that has metadata/. */

import { existsSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { toPrintable } from '../base/bytes.ts'
import { ConfigError } from '../base/errors.ts'
import { isHttpUrl, suggestUrl } from './location.ts'
import type { MirroredIndexSettings } from './settings.ts'

/**
 * Throws CONFIG_INVALID where none of them can be a mirror. Beside one that can, the others are only
 * warned of: a disk may be mounted later.
 */
export function requireMirrorLocations(
  { mirror }: MirroredIndexSettings,
  warn: (message: string) => void,
): void {
  const problems = mirror.map(findProblem).filter((problem) => problem !== undefined)
  const [first] = problems
  if (first === undefined) return
  if (problems.length === mirror.length) throw first
  for (const { message, facts } of problems) warn(`${message}\n${facts.next ?? ''}`)
}

function findProblem(location: string): ConfigError | undefined {
  if (isHttpUrl(location) || hasMetadata(location)) return undefined
  const name = toPrintable(location, 500)
  const message = existsSync(location)
    ? `${name} has no metadata/ in it, so it is no mirror.`
    : `The mirror ${name} is neither an http(s) URL nor a folder that exists.`
  return new ConfigError('CONFIG_INVALID', message, { next: suggest(location) })
}

function suggest(location: string): string {
  const candidates = [join(location, 'public')]
  if (basename(location) === 'metadata') candidates.push(dirname(location))
  const near = candidates.find(hasMetadata)
  if (near !== undefined) return `Give ${toPrintable(near, 500)}`
  const url = existsSync(location) ? undefined : suggestUrl(location)
  return url ?? 'Give the URL of the mirror, or its folder with metadata/ and targets/.'
}

function hasMetadata(folder: string): boolean {
  return existsSync(join(folder, 'metadata'))
}
