/**
 * What happened to a project between two looks, as events: the merge tells what is signed from now
 * on, this tells what of it is new. It decides nothing. No I/O, no clock.
 *
 * Of each kind there is one event with a count and the first few items, however much has changed.
 */

import { encodeCanonical, type Json } from '../base/canonical-json.ts'
import { formatUtcSeconds } from '../base/clock.ts'
import type { ProjectStatus } from '../simple/model.ts'
import type { RecordContent, RecordFile } from '../simple/record.ts'
import type { Merged } from './merge.ts'
import { Releases } from './releases.ts'

/** In the order in which they are told. */
export const changeKinds = [
  'new-project',
  'record-remade',
  'hash-changed',
  'hash-restored',
  'another-spelling',
  'project-vanished',
  'project-revived',
  'many-removed',
  'newest-removed',
  'release-removed',
  'file-removed',
  'file-revived',
  'late-file',
  'file-added',
  'yanked',
  'unyanked',
  'requires-python-changed',
  'core-metadata-changed',
  'size-changed',
  'host-changed',
  'status-changed',
  'details-changed',
] as const

export type ChangeKind = (typeof changeKinds)[number]

export interface ChangeItem {
  readonly file?: string
  readonly version?: string
  readonly before?: string
  readonly after?: string
  /** When a removed file was removed, or the release of a late one began. */
  readonly since?: string
}

export interface Change {
  readonly kind: ChangeKind
  /** Files, or releases where whole releases are meant. */
  readonly count: number
  /** Of so many. */
  readonly of?: number
  /** What is counted; left out, files or releases of the project. */
  readonly unit?: 'projects'
  /** The first of them, at most `maxItems`. */
  readonly items: readonly ChangeItem[]
}

export interface RemovalLimits {
  /** More than this many files, and more than this share of a project. */
  readonly files: number
  readonly fileShare: number
  /** At least this many projects, and more than this share of those looked at. */
  readonly projects: number
  readonly projectShare: number
}

export const defaultRemovalLimits: RemovalLimits = {
  files: 20,
  fileShare: 0.5,
  projects: 10,
  projectShare: 0.05,
}

export interface ChangeInput {
  /** `undefined` with `isKnown`: it was signed, and cannot be read any more. */
  readonly previous: RecordContent | undefined
  readonly isKnown: boolean
  readonly merged: Merged
  readonly limits: RemovalLimits
  /** ms: until then a file that is new now was not there. */
  readonly lookedAt: number
}

export const maxItems = 20
const maxTextLength = 200

/** PyPI refuses files for a release that is older, since July 2026. */
const lateAfterMs = 14 * 86_400_000

/** Of a record that differs from the signed one. */
export function listChanges(input: ChangeInput): Change[] {
  const { previous, merged, isKnown } = input
  const { files } = merged.record
  if (previous !== undefined) return new Comparison(input, previous).list()
  const found = new Found()
  if (isKnown) addLost(found, merged)
  else found.add('new-project', {}, files.length)
  return found.list()
}

/** What was pinned is still known of a record that is lost, and nothing else. */
function addLost(found: Found, { record, conflicts }: Merged): void {
  found.add('record-remade', {}, record.files.length)
  for (const { file, signed, signedAs, found: shown } of conflicts) {
    const kind = signedAs === undefined ? 'hash-changed' : 'another-spelling'
    found.add(kind, { file, before: signed, after: shown })
  }
}

class Found {
  readonly #byKind = new Map<ChangeKind, { count: number; of?: number; items: ChangeItem[] }>()

  add(kind: ChangeKind, item: ChangeItem, count = 1, of?: number): void {
    const known = this.#byKind.get(kind) ?? { count: 0, items: [] }
    this.#byKind.set(kind, known)
    known.count += count
    if (of !== undefined) known.of = of
    const shown = Object.entries(item).filter(([, text]) => text !== undefined)
    if (shown.length > 0 && known.items.length < maxItems) known.items.push(cutItem(shown))
  }

  get isEmpty(): boolean {
    return this.#byKind.size === 0
  }

  list(): Change[] {
    return changeKinds.flatMap((kind) => {
      const found = this.#byKind.get(kind)
      return found === undefined ? [] : [{ kind, ...found }]
    })
  }
}

function cutItem(shown: readonly (readonly [string, string])[]): ChangeItem {
  return Object.fromEntries(shown.map(([name, text]) => [name, cutText(text)]))
}

/** Well-formed, so that it has a canonical form: a cut must not leave half of a character. */
function cutText(text: string): string {
  return text.length <= maxTextLength
    ? text
    : `${text.slice(0, maxTextLength - 3).toWellFormed()}...`
}

class Comparison {
  readonly #input: ChangeInput
  readonly #previous: RecordContent
  readonly #before: ReadonlyMap<string, RecordFile>
  /** What the index shows in place of what is signed. */
  readonly #conflicts: ReadonlyMap<string, string>
  /** How the index spells it, by the signed name and the other digest. */
  readonly #spellings: ReadonlyMap<string, string>
  readonly #found = new Found()
  /** Files that differ in something that has no kind of its own. */
  readonly #details: string[] = []
  #releases: Releases | undefined

  constructor(input: ChangeInput, previous: RecordContent) {
    this.#input = input
    this.#previous = previous
    this.#before = new Map(previous.files.map((file) => [file.filename, file]))
    const { conflicts } = input.merged
    this.#conflicts = new Map(conflicts.map(({ file, found }) => [file, found]))
    this.#spellings = new Map(
      conflicts.map(({ file, signedAs = file, found }) => [`${signedAs} ${found}`, file]),
    )
  }

  list(): Change[] {
    const { merged } = this.#input
    const isBack = merged.listedBefore === 0 && this.#before.size > 0 && merged.listed > 0
    if (isBack) this.#found.add('project-revived', {}, merged.listed, this.#before.size)
    for (const after of merged.record.files) this.#compare(after, isBack)
    this.#addRemovals()
    this.#compareStatus(this.#previous.status, merged.record.status)
    // Whatever else it is: nothing is signed that is not told.
    if (this.#found.isEmpty) this.#addDetails()
    return this.#found.list()
  }

  #compare(after: RecordFile, isProjectBack: boolean): void {
    const before = this.#before.get(after.filename)
    if (before === undefined) {
      this.#addNew(after)
      return
    }
    if (before === after) return
    const file = after.filename
    this.#compareConflict(before, after)
    if (after.removed !== undefined) return
    if (before.removed === undefined) this.#compareYank(before, after)
    else if (!isProjectBack) this.#found.add('file-revived', { file, since: before.removed })
    this.#compareMetadata(before, after)
    if (!isSameDetail(before, after)) this.#details.push(file)
  }

  #addNew({ filename }: RecordFile): void {
    const oldest = this.#findReleases().findOldest(filename)
    const isLate = oldest !== undefined && this.#input.lookedAt - oldest > lateAfterMs
    this.#found.add(isLate ? 'late-file' : 'file-added', {
      file: filename,
      ...(isLate && { since: formatUtcSeconds(oldest) }),
    })
  }

  #compareConflict(before: RecordFile, after: RecordFile): void {
    this.#compareSpelling(before, after)
    if (before.conflict === after.conflict) return
    const file = after.filename
    if (after.conflict === undefined) {
      this.#found.add('hash-restored', { file, after: after.sha256 })
    } else this.#found.add('hash-changed', { file, before: after.sha256, after: after.conflict })
  }

  #compareSpelling(before: RecordFile, { filename, sha256, respelled }: RecordFile): void {
    if (before.respelled === respelled || respelled === undefined) return
    const file = this.#spellings.get(`${filename} ${respelled}`) ?? filename
    this.#found.add('another-spelling', { file, before: sha256, after: respelled })
  }

  /** PEP 592: another reason is told as a yank too. */
  #compareYank(before: RecordFile, after: RecordFile): void {
    if (before.yanked === after.yanked) return
    this.#found.add(after.yanked === undefined ? 'unyanked' : 'yanked', {
      file: after.filename,
      ...different(before.yanked || undefined, after.yanked || undefined),
    })
  }

  #compareMetadata(before: RecordFile, after: RecordFile): void {
    const file = after.filename
    const add = (kind: ChangeKind, was: string | undefined, is: string | undefined): void => {
      if (was !== is) this.#found.add(kind, { file, ...different(was, is) })
    }
    this.#compareRequiresPython(before, after)
    const found = this.#findMetadataConflict(file)
    add('core-metadata-changed', metadataOf(before), metadataOf(after) ?? found)
    const otherSize = this.#input.merged.otherSizes.get(file)
    if (otherSize !== undefined) add('size-changed', String(before.size), String(otherSize))
    add('host-changed', new URL(before.url).host, new URL(after.url).host)
  }

  /** Taken over, or shown in place of what stays. That it is shown as it is signed again is a detail. */
  #compareRequiresPython(before: RecordFile, after: RecordFile): void {
    const isOther =
      after.shownRequiresPython !== undefined &&
      after.shownRequiresPython !== before.shownRequiresPython
    if (!isOther && before.requiresPython === after.requiresPython) return
    const shown = (after.shownRequiresPython ?? after.requiresPython) || undefined
    this.#found.add('requires-python-changed', {
      file: after.filename,
      ...different(before.requiresPython, shown),
    })
  }

  /** The digest that the index shows, and that is not signed. */
  #findMetadataConflict(file: string): string | undefined {
    const before = this.#before.get(file)
    // Told when the signed one is dropped, and not at each look from then on.
    if (before === undefined || metadataOf(before) === undefined) return undefined
    return this.#conflicts.get(`${file}.metadata`)
  }

  #addRemovals(): void {
    const { merged, limits } = this.#input
    const { removed, listed, listedBefore } = merged
    if (removed.length === 0) return
    if (isManyFiles(removed.length, listedBefore, limits)) {
      this.#found.add('many-removed', {}, removed.length, listedBefore)
    }
    if (listed === 0) {
      this.#found.add('project-vanished', {}, removed.length)
      return
    }
    const releases = this.#findReleases()
    const left = new Set(
      merged.record.files
        .filter((file) => file.removed === undefined)
        .map((file) => releases.keyOf(file.filename)),
    )
    for (const [key, files] of Map.groupBy(removed, (file) => releases.keyOf(file))) {
      this.#addRemoved(key, files, { isWhole: !left.has(key), releases })
    }
  }

  #addRemoved(
    key: string,
    files: readonly string[],
    { isWhole, releases }: { readonly isWhole: boolean; readonly releases: Releases },
  ): void {
    const version = releases.versionOf(files[0] ?? '')
    const isNewest = key === releases.newest
    if (isWhole && version !== undefined) {
      this.#found.add(isNewest ? 'newest-removed' : 'release-removed', { version })
      return
    }
    for (const file of files)
      this.#found.add(isNewest ? 'newest-removed' : 'file-removed', { file })
  }

  /** PEP 792. */
  #compareStatus(before: ProjectStatus | undefined, after: ProjectStatus | undefined): void {
    const [was, is] = [describeStatus(before), describeStatus(after)]
    if (was !== is) this.#found.add('status-changed', { before: was, after: is })
  }

  #addDetails(): void {
    if (this.#details.length === 0) this.#found.add('details-changed', {})
    for (const file of this.#details) this.#found.add('details-changed', { file })
  }

  #findReleases(): Releases {
    this.#releases ??= new Releases(this.#previous)
    return this.#releases
  }
}

function metadataOf(file: RecordFile): string | undefined {
  return file.coreMetadata?.get('sha256')
}

function describeStatus(status: ProjectStatus | undefined): string {
  if (status === undefined) return 'active'
  return status.reason === undefined ? status.status : `${status.status}: ${status.reason}`
}

function different(before: string | undefined, after: string | undefined): ChangeItem {
  return { ...(before !== undefined && { before }), ...(after !== undefined && { after }) }
}

function isSameDetail(left: RecordFile, right: RecordFile): boolean {
  return (
    left.url === right.url &&
    left.size === right.size &&
    left.toldSize === right.toldSize &&
    left.respelled === right.respelled &&
    left.shownRequiresPython === right.shownRequiresPython &&
    left.uploadTime === right.uploadTime &&
    left.provenance === right.provenance &&
    left.gpgSig === right.gpgSig &&
    isSameExtra(left.extra, right.extra)
  )
}

function isSameExtra(left: ReadonlyMap<string, Json>, right: ReadonlyMap<string, Json>): boolean {
  if (left.size + right.size === 0) return true
  return left.size === right.size && encodeExtra(left) === encodeExtra(right)
}

function encodeExtra(extra: ReadonlyMap<string, Json>): string {
  return encodeCanonical(Object.fromEntries(extra))
}

function isManyFiles(gone: number, listed: number, limits: RemovalLimits): boolean {
  return gone > limits.files && gone > listed * limits.fileShare
}

/** For each of the projects, when many are gone at once. */
export function describeMass(gone: number, of: number): Change {
  return { kind: 'many-removed', count: gone, of, unit: 'projects', items: [] }
}

/** Whether so many projects are gone that a person should look first. */
export function isMassRemoval(gone: number, lookedAt: number, limits: RemovalLimits): boolean {
  return gone >= limits.projects && gone > lookedAt * limits.projectShare
}
