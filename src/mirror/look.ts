/**
 * One look at one project: fetch its page, merge it with what is signed, stage the new record.
 *
 * What comes out is a value. Nothing is signed here, and the ledger is only read.
 */

import type { Bytes } from '../base/bytes.ts'
import { sha256Hex } from '../base/digest.ts'
import { UpstreamError } from '../base/errors.ts'
import type { ParsedPage } from '../simple/parse-json.ts'
import { parseRecord, renderRecord, type RecordContent, type RecordFile } from '../simple/record.ts'
import { renderPage } from '../simple/render.ts'
import { rewriteForOrigin } from '../simple/rewrite.ts'
import { findBin } from '../tuf/delegation.ts'
import { completeHashes } from './complete-hashes.ts'
import type { SizeAsker } from './complete-sizes.ts'
import type { FetchedPage, IndexPort } from './index-port.ts'
import type { KnownProject, ProjectChange, SeenProject } from './ledger.ts'
import { findHold, listPins, mergeProject, type Merged, type RemovalLimits } from './merge.ts'
import type { Mirror } from './open-mirror.ts'
import { plainHtmlPath, plainPath, recordTarget, targetPath } from './tree-layout.ts'

export interface LookOptions {
  readonly index: IndexPort
  readonly bitLength: number
  readonly fileHosts: readonly string[]
  readonly isAllowedUrl: (url: string) => boolean
  readonly limits: RemovalLimits
  /** Absent: lengths that the index does not tell are left out. */
  readonly sizes?: SizeAsker
  /** ms: when the sync began. */
  readonly now: number
}

export type Look =
  /** The record stays. */
  | { readonly kind: 'unchanged'; readonly seen: SeenProject }
  | { readonly kind: 'changed'; readonly change: ProjectChange; readonly superseded?: string }
  /** Nothing of it is listed any more. */
  | { readonly kind: 'emptied' }
  | { readonly kind: 'held'; readonly reason: string }

/** `acceptsRemovals`: whatever is gone is taken for gone. Throws what the fetch and the parsers throw. */
export async function lookAtProject(
  mirror: Mirror,
  project: string,
  options: LookOptions,
  acceptsRemovals: boolean,
): Promise<Look> {
  const known = mirror.ledger.findProject(project)
  const answer = await options.index.fetchPage(project, known?.etag)
  if (answer === 'unchanged') {
    const { etag, serial } = known ?? {}
    return { kind: 'unchanged', seen: { name: project, ...markOf(etag, serial, options.now) } }
  }
  if (answer === 'absent' && known === undefined) throw refuseUnknown(project, options.index)
  const pins = mirror.ledger.readPins(project, known?.id)
  const previous = known && (await readRecord(mirror, known))
  const signed = { pins, files: previous?.files ?? [] }
  const shown = answer === 'absent' ? undefined : await completePage(answer, signed, options)
  const merged = mergeProject({ ...options, project, previous, page: shown?.page, pins })
  reportMerge(mirror, project, merged)
  const hold = acceptsRemovals ? undefined : findRemovalHold(merged, options.limits)
  const { bitLength } = options
  const mark = shown?.mark ?? markOf(undefined, known?.serial, options.now)
  return hold ?? stageRecord(mirror, { merged, known, pins, mark, bitLength })
}

/** What is remembered of a look. */
type Mark = Omit<SeenProject, 'name'>

function markOf(etag: string | undefined, serial: number | undefined, lookedAt: number): Mark {
  return { ...(etag !== undefined && { etag }), ...(serial !== undefined && { serial }), lookedAt }
}

interface ShownPage {
  readonly page: ParsedPage
  readonly mark: Mark
}

/** What could not be hashed this time may be next time: then it is not taken for seen. */
async function completePage(
  { page, etag, serial }: FetchedPage,
  { pins, files }: { pins: ReadonlyMap<string, string>; files: readonly RecordFile[] },
  options: LookOptions,
): Promise<ShownPage> {
  const completed = await completeHashes(page, pins, options)
  return {
    page: (await options.sizes?.complete(completed.page, files)) ?? completed.page,
    mark: completed.isComplete
      ? markOf(etag, serial, options.now)
      : { ...(serial !== undefined && { serial }) },
  }
}

function findRemovalHold(merged: Merged, limits: RemovalLimits): Look | undefined {
  const reason = findHold(merged, limits)
  if (reason !== undefined) return { kind: 'held', reason }
  return merged.listedBefore > 0 && merged.listed === 0 ? { kind: 'emptied' } : undefined
}

interface Candidate {
  readonly merged: Merged
  readonly known: KnownProject | undefined
  readonly pins: ReadonlyMap<string, string>
  readonly mark: Mark
  readonly bitLength: number
}

async function stageRecord(
  mirror: Mirror,
  { merged, known, pins, mark, bitLength }: Candidate,
): Promise<Look> {
  const { record } = merged
  const bytes = renderRecord(record)
  const sha256 = sha256Hex(bytes)
  if (sha256 === known?.sha256) return { kind: 'unchanged', seen: { name: record.name, ...mark } }
  // What our own proxy would refuse is never signed.
  parseRecord(bytes, record.name)
  await stageFiles(mirror, record, { bytes, sha256 })
  const target = recordTarget(record.name)
  const project = {
    name: record.name,
    bin: findBin(bitLength, target),
    sha256,
    length: bytes.length,
    ...mark,
    listed: merged.listed,
    removed: record.files.length - merged.listed,
    conflicts: record.files.filter((file) => file.conflict !== undefined).length,
  }
  const change = { project, newPins: findNewPins(record, pins) }
  const superseded = known && targetPath(target, known.sha256)
  return { kind: 'changed', change, ...(superseded !== undefined && { superseded }) }
}

/** The record under its digest, then its twins without one for whoever reads a plain index. */
async function stageFiles(
  mirror: Mirror,
  record: RecordContent,
  { bytes, sha256 }: { readonly bytes: Bytes; readonly sha256: string },
): Promise<void> {
  const target = recordTarget(record.name)
  const alsoAs = plainPath(target)
  await mirror.tree.stage(targetPath(target, sha256), bytes, { hasTwin: true, alsoAs })
  const html = renderPage(rewriteForOrigin(record), 'text-html')
  await mirror.tree.stage(plainHtmlPath(target), html, { hasTwin: true })
}

function findNewPins(
  record: RecordContent,
  pins: ReadonlyMap<string, string>,
): Map<string, string> {
  return new Map([...listPins(record.files)].filter(([name]) => !pins.has(name)))
}

/** The record as it was signed. A damaged one is no reason to stop: the pins still hold every name. */
async function readRecord(
  mirror: Mirror,
  { name, sha256 }: KnownProject,
): Promise<RecordContent | undefined> {
  const path = targetPath(recordTarget(name), sha256)
  const bytes = await mirror.tree.read(path)
  if (bytes !== undefined && sha256Hex(bytes) === sha256) return parseRecord(bytes, name)
  mirror.report({
    kind: 'warning',
    message: `The record of ${name} is ${bytes === undefined ? 'missing' : 'damaged'} on disk (${path}); it is made again from the index`,
    next: 'Check the disk. Entries of removed files may be lost, their names stay bound to their digests.',
  })
  return undefined
}

/** More than this of one project are counted, not listed. */
const maxReported = 20

function reportMerge(mirror: Mirror, project: string, { leftOut, conflicts }: Merged): void {
  for (const { file, problem } of leftOut.slice(0, maxReported)) {
    mirror.report({ kind: 'left-out', project, file, message: problem })
  }
  if (leftOut.length > maxReported) {
    const message = `${leftOut.length - maxReported} more files of ${project} are left out`
    mirror.report({ kind: 'warning', message })
  }
  for (const { file, signed, found } of conflicts.slice(0, maxReported)) {
    mirror.report({ kind: 'conflict', project, file, expected: signed, found })
  }
}

function refuseUnknown(project: string, { name }: IndexPort): UpstreamError {
  const isUrl = /^https?:/.test(name)
  const place = isUrl ? `${name}${project}/ gave 404` : `there is no simple/${project}/ in ${name}`
  const guess = !isUrl || name.endsWith('/simple/') ? '' : '; should --index end in /simple/ ?'
  return new UpstreamError('BAD_STATUS', `The index has no project ${project}: ${place}${guess}`, {
    found: '404',
    url: isUrl ? `${name}${project}/` : name,
    next: 'Check the spelling of the name.',
  })
}
