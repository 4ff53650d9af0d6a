/**
 * What an installed distribution says of itself (PEP 376, 427, 610, 627). Nothing of it is believed: it
 * only says which signed wheel to compare with.
 */

import { decodeUtf8, type Bytes } from '../base/bytes.ts'
import { isMalformed, readObject, readOptional, readString, member } from '../base/decode.ts'
import { isSha256 } from '../base/digest.ts'
import { isProjectName, normalizeName } from '../simple/names.ts'
import { comparableVersion } from '../simple/version-key.ts'

export interface Distribution {
  /** Relative to the root: `lib/python3.11/site-packages/foo-1.0.dist-info`. */
  readonly folder: string
  readonly site: string
  /** As written. */
  readonly name: string
  readonly project: string
  readonly version: string
  readonly installer?: string
  /** PEP 425, expanded as in WHEEL. */
  readonly tags: readonly string[]
  readonly source: DirectSource
}

/** PEP 610. `index`: nothing says that it came from elsewhere. */
export type DirectSource =
  | { readonly kind: 'index' | 'editable' | 'directory' | 'repository' }
  | { readonly kind: 'archive'; readonly sha256?: string }
  | { readonly kind: 'malformed' }

export interface DistributionTexts {
  readonly metadata: Bytes | undefined
  readonly wheel: Bytes | undefined
  readonly installer: Bytes | undefined
  readonly directUrl: Bytes | undefined
}

/** A sentence where it cannot be said what this is. */
export function readDistribution(
  folder: string,
  texts: DistributionTexts,
): Distribution | { readonly folder: string; readonly problem: string } {
  const at = folder.lastIndexOf('/')
  const base = folder.slice(at + 1)
  if (texts.metadata === undefined) return { folder, problem: 'its METADATA cannot be read' }
  const head = readHead(texts.metadata)
  const name = findHeader(head, 'name') ?? ''
  const version = findHeader(head, 'version') ?? ''
  if (!isProjectName(name) || version === '')
    return { folder, problem: 'its METADATA has no name and version' }
  if (!isFolderOf(base, name, version))
    return { folder, problem: `its METADATA says ${name} ${version}, its folder does not` }
  const installer = readLine(texts.installer)
  return {
    folder,
    site: at < 0 ? '' : folder.slice(0, at),
    name,
    project: normalizeName(name),
    version,
    tags: texts.wheel === undefined ? [] : listHeaders(readHead(texts.wheel), 'tag'),
    source: readDirectSource(texts.directUrl),
    ...(installer !== undefined && { installer }),
  }
}

/** pip and importlib.metadata go by one of the two: they must not differ. */
function isFolderOf(base: string, name: string, version: string): boolean {
  const stem = base.slice(0, -'.dist-info'.length)
  const dash = stem.indexOf('-')
  if (dash < 0) return false
  const folderVersion = stem.slice(dash + 1)
  const isSameVersion =
    comparableVersion(folderVersion) === comparableVersion(version) ||
    comparableVersion(folderVersion.replaceAll('_', '-')) === comparableVersion(version)
  return normalizeName(stem.slice(0, dash)) === normalizeName(name) && isSameVersion
}

const maxHeadLength = 1_000_000

function readHead(bytes: Bytes): readonly string[] {
  const text = Buffer.from(bytes.subarray(0, maxHeadLength)).toString('utf8')
  const [head = ''] = text.split(/\r?\n\r?\n/, 1)
  return head.split(/\r?\n/)
}

function findHeader(head: readonly string[], name: string): string | undefined {
  return listHeaders(head, name)[0]
}

function listHeaders(head: readonly string[], name: string): string[] {
  const prefix = `${name}:`
  return head
    .filter((line) => line.slice(0, prefix.length).toLowerCase() === prefix)
    .map((line) => line.slice(prefix.length).trim())
}

function readLine(bytes: Bytes | undefined): string | undefined {
  if (bytes === undefined || bytes.length > 64) return undefined
  const text = Buffer.from(bytes).toString('utf8').trim()
  return /^[\w.+-]+$/.test(text) ? text : undefined
}

function readDirectSource(bytes: Bytes | undefined): DirectSource {
  if (bytes === undefined) return { kind: 'index' }
  try {
    const object = readObject(JSON.parse(decodeUtf8(bytes)))
    if (member(object, 'vcs_info') !== undefined) return { kind: 'repository' }
    const folder = readOptional(object, 'dir_info', readObject)
    if (folder !== undefined)
      return { kind: folder['editable'] === true ? 'editable' : 'directory' }
    const archive = readOptional(object, 'archive_info', readObject) ?? {}
    const hashes = readOptional(archive, 'hashes', readObject) ?? {}
    const sha256 = hashes['sha256'] ?? readOldHash(readOptional(archive, 'hash', readString))
    return typeof sha256 === 'string' && isSha256(sha256)
      ? { kind: 'archive', sha256 }
      : { kind: 'archive' }
  } catch (error) {
    if (isMalformed(error)) return { kind: 'malformed' }
    throw error
  }
}

function readOldHash(text: string | undefined): string | undefined {
  return text?.startsWith('sha256=') === true ? text.slice('sha256='.length) : undefined
}
