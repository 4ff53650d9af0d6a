/**
 * Which wheels of a record may be the one that is installed, the likeliest first: by the digest that the
 * installer wrote down, or by the tags in WHEEL (PEP 425). Whether it is one of them its bytes say.
 */

import { parseFilename } from '../simple/filename.ts'
import type { RecordFile } from '../simple/record.ts'
import { comparableVersion } from '../simple/version-key.ts'
import type { Distribution } from './distribution.ts'

export type Choice =
  | { readonly kind: 'wheels'; readonly files: readonly RecordFile[] }
  | { readonly kind: 'built' }
  | { readonly kind: 'no-version' }

/** A name that stands for more is not an honest one. */
const maxTags = 4096

export function chooseWheels(
  files: readonly RecordFile[],
  { project, version, tags, source }: Distribution,
): Choice {
  const wanted = comparableVersion(version)
  const ofVersion = files.filter((file) => {
    const found = parseFilename(file.filename, project).version
    return found !== undefined && comparableVersion(found) === wanted
  })
  if (ofVersion.length === 0) return { kind: 'no-version' }
  const wheels = ofVersion.filter(({ filename }) => filename.toLowerCase().endsWith('.whl'))
  if (source.kind === 'archive' && source.sha256 !== undefined) {
    const exact = wheels.filter(({ sha256 }) => sha256 === source.sha256)
    if (exact.length > 0) return { kind: 'wheels', files: exact }
  }
  const ranked = rank(wheels, tags)
  return ranked.length === 0 ? { kind: 'built' } : { kind: 'wheels', files: ranked }
}

function rank(wheels: readonly RecordFile[], tags: readonly string[]): RecordFile[] {
  const own = new Set(tags)
  const ranked = wheels.map((file) => ({ file, likeness: likenessOf(file.filename, own) }))
  return ranked
    .filter(({ likeness }) => likeness > 0)
    .toSorted((left, right) => right.likeness - left.likeness)
    .map(({ file }) => file)
}

/** 3: the same tags; 2: some; 1: the same Python and ABI, as of a wheel that was tagged again. */
function likenessOf(filename: string, own: ReadonlySet<string>): number {
  const tags = expandTags(filename)
  const common = tags.filter((tag) => own.has(tag)).length
  if (common === tags.length && common === own.size) return 3
  if (common > 0) return 2
  const interpreters = new Set(Array.from(own, withoutPlatform))
  return tags.some((tag) => interpreters.has(withoutPlatform(tag)) && !tag.endsWith('-any')) ? 1 : 0
}

function withoutPlatform(tag: string): string {
  return tag.slice(0, tag.lastIndexOf('-'))
}

function expandTags(filename: string): string[] {
  const parts = filename.slice(0, -'.whl'.length).split('-')
  const [pythons = [], abis = [], platforms = []] = parts.slice(-3).map((part) => part.split('.'))
  if (pythons.length * abis.length * platforms.length > maxTags) return []
  return pythons.flatMap((python) =>
    abis.flatMap((abi) => platforms.map((platform) => `${python}-${abi}-${platform}`)),
  )
}
