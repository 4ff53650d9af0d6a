/**
 * ProjectPage -> the plain object of a PEP 691 page, API 1.4. Keys come from the network too
 * (`__proto__`), so objects are made from entries and never by assignment.
 */

import type { Json } from '../base/canonical-json.ts'
import type { CoreMetadata, ProjectFile, ProjectPage } from './model.ts'

/** What we implement; a page in HTML never goes above it (PEP 833). */
export const apiVersion = '1.4'

export type JsonEntries = readonly (readonly [string, Json | undefined])[]

/** Without those whose value is `undefined`. The last of a name counts. */
export function toObject(entries: JsonEntries): Json {
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined)) as Json
}

/** PEP 691: keys that begin with `_` are private to whoever served the page. */
export function publicMembers(extra: ReadonlyMap<string, Json>): ReadonlyMap<string, Json> {
  const names = [...extra.keys()]
  if (!names.some((name) => name.startsWith('_'))) return extra
  return new Map([...extra].filter(([name]) => !name.startsWith('_')))
}

export function pageEntries(page: ProjectPage): JsonEntries {
  return [
    ...publicMembers(page.extra),
    ['meta', { 'api-version': apiVersion }],
    ['name', page.name],
    ['project-status', statusObject(page)],
    ['versions', page.versions],
  ]
}

function statusObject({ status }: ProjectPage): Json | undefined {
  if (status === undefined) return undefined
  return toObject([
    ['status', status.status],
    ['reason', status.reason],
  ])
}

export function fileEntries(file: ProjectFile): JsonEntries {
  const metadata = file.coreMetadata && metadataValue(file.coreMetadata)
  return [
    ...publicMembers(file.extra),
    ['filename', file.filename],
    ['url', file.url],
    ['hashes', Object.fromEntries(file.hashes)],
    ['requires-python', file.requiresPython],
    ['size', file.size],
    ['upload-time', file.uploadTime],
    ['yanked', file.yanked === undefined ? false : file.yanked || true],
    ['core-metadata', metadata],
    // The name in PyPI's JSON, which older pdm reads.
    ['data-dist-info-metadata', metadata],
    ['provenance', file.provenance],
    ['gpg-sig', file.gpgSig],
  ]
}

/** PEP 714: true where there is no digest to give. */
function metadataValue(metadata: CoreMetadata): Json {
  return metadata.size === 0 ? true : Object.fromEntries(metadata)
}
