/**
 * What is signed for a project from now on: what was signed before, and what the index shows now.
 *
 * The index may add, yank and stop to list; it may not change what has been signed. A name that was
 * signed once never gets another digest, in no spelling, whatever becomes of its entry; what stands in
 * the bytes of a file is bound with them (`bound-details.ts`). No I/O, no clock.
 */

import { encodeCanonical, escapeControls, type Json } from '../base/canonical-json.ts'
import { formatUtcSeconds } from '../base/clock.ts'
import { isSha256 } from '../base/digest.ts'
import { findFileFault, parseFileUrl, pathKey } from '../simple/file-url.ts'
import type { ProjectFile } from '../simple/model.ts'
import type { ParsedPage } from '../simple/parse-json.ts'
import type { RecordContent, RecordFile } from '../simple/record.ts'
import { maxTextLength } from '../simple/read-text.ts'
import { completeVersions } from '../simple/versions.ts'
import { bindRequiresPython, bindSize, isContradicted } from './bound-details.ts'
import { BoundNames, metadataName, type BoundName } from './bound-names.ts'

export interface MergeInput {
  /** Normalized. */
  readonly project: string
  readonly previous?: RecordContent | undefined
  /** With absolute URLs; `undefined` when the index has no such project (any more). */
  readonly page?: ParsedPage | undefined
  /** sha256 by file name, of everything that was ever signed for this project, `.metadata` too. */
  readonly pins: ReadonlyMap<string, string>
  readonly isAllowedUrl: (url: string) => boolean
  /** ms: when the page was asked for. */
  readonly now: number
  /** Default: nothing is known of it. Pins of other machines do not make it known here. */
  readonly isFirstLook?: boolean
  /** The operator takes over another requires-python of the same file. Default: the first one stays. */
  readonly followsRequiresPython?: boolean
}

/** A file of the page that is not signed, and why. */
export interface LeftOut {
  readonly file: string
  readonly problem: string
}

/** The index shows another digest for a name that is signed already, in this or another spelling. */
export interface Conflict {
  /** As the index spells it. */
  readonly file: string
  /** As it is signed, where that is spelled otherwise. */
  readonly signedAs?: string
  readonly signed: string
  readonly found: string
}

export interface Merged {
  readonly record: RecordContent
  readonly leftOut: readonly LeftOut[]
  readonly conflicts: readonly Conflict[]
  /** What the index says, by the name of a file of which another size was signed. */
  readonly otherSizes: ReadonlyMap<string, number>
  /** Names that the index does not list any more, and did before. */
  readonly removed: readonly string[]
  readonly listedBefore: number
  readonly listed: number
}

export function mergeProject(input: MergeInput): Merged {
  const merge = new Merge(input)
  for (const file of input.page?.files ?? []) merge.addListed(file)
  merge.addUnlisted()
  return merge.finish()
}

class Merge {
  readonly #input: MergeInput
  readonly #previous: ReadonlyMap<string, RecordFile>
  readonly #files = new Map<string, RecordFile>()
  /** File name by where it, or its `.metadata`, is: two entries never share a place. */
  readonly #places = new Map<string, string>()
  readonly #leftOut: LeftOut[] = []
  readonly #conflicts: Conflict[] = []
  readonly #otherSizes = new Map<string, number>()
  readonly #names: BoundNames
  readonly #removed: string[] = []

  constructor(input: MergeInput) {
    this.#input = input
    const files = input.previous?.files ?? []
    // A record that is on disk binds as well, whatever the database knows.
    this.#names = new BoundNames(input.project, new Map([...input.pins, ...listPins(files)]))
    this.#previous = new Map(files.map((file) => [file.filename, file]))
    // Before anything new: what has been signed is not pushed out.
    for (const file of files) this.#claim(file)
  }

  addListed(file: ProjectFile): void {
    const { filename } = file
    const before = this.#previous.get(filename)
    const problem = this.#findProblem(file)
    if (problem !== undefined) {
      this.#leftOut.push({ file: filename, problem })
      // It is still listed, so it is no tombstone; what is signed of it stays as it is.
      if (before !== undefined && !this.#files.has(filename)) this.#put(before)
      return
    }
    const found = findSha256(file) ?? ''
    const bound = this.#names.findConflict(filename, found)
    if (bound !== undefined) this.#addConflict(filename, bound, found)
    else this.#put(this.#buildListed(this.#checkMetadata(file), found))
  }

  #buildListed(file: ProjectFile, sha256: string): RecordFile {
    const { filename } = file
    const before = this.#previous.get(filename)
    // The same bytes under another spelling are the same file.
    const same = before ?? this.#findSpelling(filename, sha256)
    if (isContradicted(file, same)) this.#otherSizes.set(filename, file.size)
    const firstSeen = before === undefined ? this.#findFirstSight(file) : before.firstSeen
    // Said once, a time of upload stays: a minimum age must not begin anew, nor end early.
    const uploadTime = before?.uploadTime ?? file.uploadTime
    return {
      ...buildListed(file, sha256),
      ...bindSize(file, same),
      ...bindRequiresPython(file, same, this.#input.followsRequiresPython === true),
      ...(uploadTime !== undefined && { uploadTime }),
      ...(firstSeen !== undefined && { firstSeen }),
    }
  }

  #findSpelling(filename: string, sha256: string): RecordFile | undefined {
    const signed = this.#names.findSpellings(filename).filter((each) => each.sha256 === sha256)
    return signed.map(({ file }) => this.#previous.get(file)).find((file) => file !== undefined)
  }

  /**
   * At the first look at a project the files were there before, for nobody knows how long: then the
   * time of upload alone says how old they are. Otherwise a minimum age would hide everything that
   * a new mirror signs, or signs again because its record was lost.
   */
  #findFirstSight({ filename, uploadTime }: ProjectFile): number | undefined {
    const { previous, pins, now } = this.#input
    const isFirstLook = this.#input.isFirstLook ?? (previous === undefined && pins.size === 0)
    const wasSigned = previous === undefined && pins.has(filename)
    return (isFirstLook || wasSigned) && uploadTime !== undefined ? undefined : now
  }

  /**
   * A `.metadata` file is bound like any other. Where the index shows another one there is none any
   * more: installers then read the metadata in the file itself, which is the signed one.
   */
  #checkMetadata(file: ProjectFile): ProjectFile {
    const found = file.coreMetadata?.get('sha256')?.toLowerCase()
    if (found === undefined) return file
    const bound = this.#names.findMetadataConflict(file.filename, found)
    if (bound === undefined) return file
    this.#conflicts.push(describeConflict(metadataName(file.filename), bound, found))
    const { coreMetadata: _, ...rest } = file
    return rest
  }

  /** What was signed and is not on the page stays, as a tombstone. */
  addUnlisted(): void {
    const skipped = this.#input.page?.skipped ?? []
    const unreadable = new Set(skipped.map(({ link }) => link))
    for (const [name, before] of this.#previous) {
      if (this.#files.has(name)) continue
      if (unreadable.has(name)) this.#put(before)
      else if (before.removed === undefined) this.#removeFile(before)
      else this.#put(before)
    }
  }

  /** PEP 592: for whoever does not read `_removed`, a file that nobody picks by himself. */
  #removeFile(before: RecordFile): void {
    this.#removed.push(before.filename)
    const yanked =
      before.yanked === undefined || before.yanked === ''
        ? 'removed from the index'
        : `removed from the index; was yanked before: ${before.yanked}`.slice(0, maxTextLength)
    this.#put({ ...before, yanked, removed: formatUtcSeconds(this.#input.now) })
  }

  finish(): Merged {
    const { project, previous, page } = this.#input
    for (const { link, problem } of page?.skipped ?? []) this.#leftOut.push({ file: link, problem })
    this.#markRespelled()
    const files = [...this.#files.values()]
    const status = (page ?? previous)?.status
    return {
      record: {
        name: project,
        files,
        versions: completeVersions((page ?? previous)?.versions ?? [], files, project),
        extra: keepPublic((page ?? previous)?.extra ?? new Map()),
        ...(status && { status }),
      },
      leftOut: this.#leftOut,
      conflicts: this.#conflicts,
      otherSizes: this.#otherSizes,
      removed: this.#removed,
      listedBefore: countListed(previous?.files ?? []),
      listed: countListed(files),
    }
  }

  #findProblem(file: ProjectFile): string | undefined {
    const fault = findFileFault(file, this.#input.project)
    if (fault !== undefined) return fault
    if (!this.#input.isAllowedUrl(file.url)) return `${new URL(file.url).host} is not in file-hosts`
    if (findSha256(file) === undefined) return 'there is no sha256 for it'
    return this.#files.has(file.filename) ? 'the page lists it twice' : undefined
  }

  /** The old entry stays as it is; that the index shows other content is said in the record. */
  #addConflict(name: string, bound: BoundName, found: string): void {
    this.#conflicts.push(describeConflict(name, bound, found))
    const before = this.#previous.get(name)
    if (before !== undefined) this.#put({ ...before, conflict: found })
  }

  /** Said beside the signed entry, which is shown as it was or not at all: it is no conflict itself. */
  #markRespelled(): void {
    for (const { signedAs, found } of this.#conflicts) {
      const file = signedAs === undefined ? undefined : this.#files.get(signedAs)
      // The same one, in whatever order a page has them.
      if (file === undefined || (file.respelled ?? found) < found) continue
      this.#files.set(file.filename, { ...file, respelled: found })
    }
  }

  #put(file: RecordFile): void {
    if (this.#claim(file)) this.#files.set(file.filename, file)
    else this.#leftOut.push({ file: file.filename, problem: 'another file is at the same place' })
  }

  #claim(file: RecordFile): boolean {
    const places = listPlaces(file)
    const isTaken = (place: string): boolean =>
      (this.#places.get(place) ?? file.filename) !== file.filename
    if (places.some(isTaken)) return false
    for (const place of places) this.#places.set(place, file.filename)
    return true
  }
}

function describeConflict(file: string, bound: BoundName, found: string): Conflict {
  const isSame = bound.file === file
  return { file, ...(!isSame && { signedAs: bound.file }), signed: bound.sha256, found }
}

/** What a record binds: sha256 by file name, `.metadata` files among them. */
export function listPins(files: readonly RecordFile[]): Map<string, string> {
  const pins = new Map<string, string>()
  for (const { filename, sha256, coreMetadata } of files) {
    pins.set(filename, sha256)
    const metadata = coreMetadata?.get('sha256')
    if (metadata !== undefined) pins.set(metadataName(filename), metadata)
  }
  return pins
}

/** Lower case; `undefined` where the page has none, or something else in its place. */
export function findSha256(file: ProjectFile): string | undefined {
  const digest = file.hashes.get('sha256')?.toLowerCase()
  return digest !== undefined && isSha256(digest) ? digest : undefined
}

/** Without what is bound once it was said. */
function buildListed(file: ProjectFile, sha256: string): RecordFile {
  const { filename, url, yanked, provenance, gpgSig, extra } = file
  const metadata = file.coreMetadata?.get('sha256')?.toLowerCase()
  return {
    filename,
    url,
    sha256,
    hashes: new Map([['sha256', sha256]]),
    extra: keepPublic(extra),
    ...(yanked !== undefined && { yanked }),
    ...(provenance !== undefined && { provenance }),
    ...(gpgSig !== undefined && { gpgSig }),
    // Without a digest nobody could check the `.metadata` file: then there is none.
    ...(metadata !== undefined &&
      isSha256(metadata) && { coreMetadata: new Map([['sha256', metadata]]) }),
  }
}

function countListed(files: readonly RecordFile[]): number {
  return files.filter((file) => file.removed === undefined).length
}

function listPlaces(file: RecordFile): string[] {
  const place = pathKey(parseFileUrl(file.url))
  return file.coreMetadata === undefined ? [place] : [place, `${place}.metadata`]
}

/** PEP 691: members that begin with `_` are the index's own. */
function keepPublic(extra: ReadonlyMap<string, Json>): Map<string, Json> {
  const kept = [...extra].filter(([key, value]) => !key.startsWith('_') && isSignable([key, value]))
  return new Map(kept)
}

/** Whether it has a canonical form, and one that is JSON: no fractions, no control characters. */
function isSignable(value: Json): boolean {
  try {
    const text = encodeCanonical(value)
    return escapeControls(text) === text
  } catch {
    // The record could not be signed with it, and one odd member must not hold up a project.
    return false
  }
}
