/** A record on its way into the published tree: its files are staged, what the ledger needs comes back. */

import type { Bytes } from '../base/bytes.ts'
import { sha256Hex } from '../base/digest.ts'
import { parseRecord, renderRecord, type RecordContent } from '../simple/record.ts'
import { renderPage } from '../simple/render.ts'
import { rewriteForOrigin } from '../simple/rewrite.ts'
import { findBin } from '../tuf/delegation.ts'
import type { ProjectChange, SeenProject } from './ledger.ts'
import { findExtraTargets, findHtmlTarget } from './extra-targets.ts'
import { listPins } from './merge.ts'
import type { Mirror } from './open-mirror.ts'
import { settings } from './settings.ts'
import { htmlTarget, plainHtmlPath, plainPath, recordTarget, targetPath } from './tree-layout.ts'

export interface RenderedRecord {
  readonly record: RecordContent
  readonly bytes: Bytes
  readonly sha256: string
}

/** What is remembered of a look. */
export type LookMark = Omit<SeenProject, 'name'>

export interface StagedChange {
  readonly change: ProjectChange
  /** Path of the record that this one takes the place of. */
  readonly superseded?: string
  readonly kept: string
  /** The HTML twin, where it is a target too. */
  readonly keptHtml?: string
}

export interface StageContext {
  /** Everything that was ever signed for the project. */
  readonly pins: ReadonlyMap<string, string>
  /** Of the record that is signed now. */
  readonly signedSha256: string | undefined
  readonly mark: LookMark
}

/** Files that the change is made of: the record, and its HTML twin where that is a target. */
export function listKept({ kept, keptHtml }: StagedChange): string[] {
  return keptHtml === undefined ? [kept] : [kept, keptHtml]
}

/**
 * Of them, those that nothing signed names yet. The others must never be taken for left behind: a
 * release that is signed again has the same record, and a crash would have it swept away.
 */
export function listUnreferenced(
  { ledger }: Pick<Mirror, 'ledger'>,
  staged: StagedChange,
): string[] {
  const { name } = staged.change.project
  const signed = [staged.superseded, findHtmlTarget(ledger.database, name)?.path]
  return listKept(staged).filter((path) => !signed.includes(path))
}

export function renderCandidate(record: RecordContent): RenderedRecord {
  const bytes = renderRecord(record)
  return { record, bytes, sha256: sha256Hex(bytes) }
}

/** Throws VerifyError for what our own proxy would refuse: it is never signed. */
export async function stageRecord(
  mirror: Mirror,
  { record, bytes, sha256 }: RenderedRecord,
  { pins, signedSha256, mark }: StageContext,
): Promise<StagedChange> {
  parseRecord(bytes, record.name)
  const html = await stageFiles(mirror, record, { bytes, sha256 })
  const extra = findExtraTargets(mirror.settings, record, { html, now: mirror.clock() })
  const target = recordTarget(record.name)
  const listed = record.files.filter((file) => file.removed === undefined).length
  const project = {
    name: record.name,
    bin: findBin(mirror.settings.require(settings.bitLength), target),
    sha256,
    length: bytes.length,
    ...mark,
    listed,
    removed: record.files.length - listed,
    conflicts: record.files.filter((file) => file.conflict !== undefined).length,
  }
  return {
    change: { project, newPins: findNewPins(record, pins), ...(extra && { extra }) },
    kept: targetPath(target, sha256),
    ...(extra?.html && { keptHtml: targetPath(htmlTarget(record.name), extra.html.sha256) }),
    ...(signedSha256 !== undefined && { superseded: targetPath(target, signedSha256) }),
  }
}

/**
 * The record under its digest, then its twins without one for whoever reads a plain index. The bytes of
 * the one in HTML.
 */
export async function stageFiles(
  mirror: Mirror,
  record: RecordContent,
  { bytes, sha256 }: { readonly bytes: Bytes; readonly sha256: string },
): Promise<Bytes> {
  const target = recordTarget(record.name)
  const alsoAs = plainPath(target)
  await mirror.tree.stage(targetPath(target, sha256), bytes, { hasTwin: true, alsoAs })
  const html = renderTwin(record)
  if (mirror.settings.find(settings.signsHtml) === true) await stageTwin(mirror, record.name, html)
  else await mirror.tree.stage(plainHtmlPath(target), html, { hasTwin: true })
  return html
}

/** Under its digest, where it is a target. */
export async function stageTwin(mirror: Mirror, project: string, html: Bytes): Promise<void> {
  const path = targetPath(htmlTarget(project), sha256Hex(html))
  await mirror.tree.stage(path, html, { hasTwin: true, alsoAs: plainPath(htmlTarget(project)) })
}

/** The same for clients that want HTML. */
export function renderTwin(record: RecordContent): Bytes {
  return renderPage(rewriteForOrigin(record), 'text-html')
}

function findNewPins(
  record: RecordContent,
  pins: ReadonlyMap<string, string>,
): Map<string, string> {
  return new Map([...listPins(record.files)].filter(([name]) => !pins.has(name)))
}
