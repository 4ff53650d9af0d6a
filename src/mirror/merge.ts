/**
 * What is signed for a project from now on: what was signed before, and what the index shows now.
 *
 * The index may add, yank and stop to list; it may not change what has been signed. A name that was
 * signed once never gets another digest, whatever becomes of its entry. No I/O, no clock.
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
}

/** A file of the page that is not signed, and why. */
export interface LeftOut {
  readonly file: string
  readonly problem: string
}

/** The index shows another digest for a name that is signed already. */
export interface Conflict {
  readonly file: string
  readonly signed: string
  readonly found: string
}

export interface Merged {
  readonly record: RecordContent
  readonly leftOut: readonly LeftOut[]
  readonly conflicts: readonly Conflict[]
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
  readonly #removed: string[] = []

  constructor(input: MergeInput) {
    this.#input = input
    const files = input.previous?.files ?? []
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
    const signed = before?.sha256 ?? this.#input.pins.get(filename)
    if (signed !== undefined && signed !== found) this.#addConflict(filename, signed, found)
    else this.#put(this.#buildListed(this.#checkMetadata(file), found, before))
  }

  #buildListed(file: ProjectFile, sha256: string, before: RecordFile | undefined): RecordFile {
    const firstSeen = before === undefined ? this.#findFirstSight(file) : before.firstSeen
    const listed = buildListed(file, sha256, before)
    return firstSeen === undefined ? listed : { ...listed, firstSeen }
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
    const name = metadataName(file.filename)
    const found = file.coreMetadata?.get('sha256')?.toLowerCase()
    const signed = this.#input.pins.get(name)
    if (found === undefined || signed === undefined || signed === found) return file
    this.#conflicts.push({ file: name, signed, found })
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
  #addConflict(name: string, signed: string, found: string): void {
    this.#conflicts.push({ file: name, signed, found })
    const before = this.#previous.get(name)
    if (before !== undefined) this.#put({ ...before, conflict: found })
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

/** PEP 658. */
function metadataName(filename: string): string {
  return `${filename}.metadata`
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

function buildListed(
  file: ProjectFile,
  sha256: string,
  before: RecordFile | undefined,
): RecordFile {
  const {
    coreMetadata,
    uploadTime: shownTime,
    extra,
    size: shownSize,
    toldSize: shownTold,
    ...rest
  } = file
  // Said once, a time of upload stays: a minimum age must not begin anew, nor end early.
  const uploadTime = before?.uploadTime ?? shownTime
  const metadata = coreMetadata?.get('sha256')?.toLowerCase()
  const size = shownSize ?? before?.size
  const toldSize = size === undefined ? (shownTold ?? before?.toldSize) : undefined
  return {
    ...rest,
    sha256,
    hashes: new Map([['sha256', sha256]]),
    extra: keepPublic(extra),
    ...(uploadTime !== undefined && { uploadTime }),
    ...(size !== undefined && { size }),
    ...(toldSize !== undefined && { toldSize }),
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
