/**
 * The page that a client sees of a record: links to this proxy, one hash for each file, what was removed
 * shown as yanked, what policy hides left out. It decides nothing: the rulings are given.
 */

import { parseFileUrl, renderLink } from './file-url.ts'
import type { ProjectFile, ProjectPage } from './model.ts'
import { publicMembers } from './page-object.ts'
import type { ProjectRecord, RecordContent, RecordFile } from './record.ts'
import { keepShownVersions } from './versions.ts'

/** What policy says of a file that is not simply kept; `Ruling` of policy/decide.ts fits. */
export interface Ruling {
  readonly kind: 'hide' | 'refuse'
  readonly reason: string
}

export interface RewriteOptions {
  /** Hidden files stay, as yanked with the reason. */
  readonly showHidden: boolean
  /** `false`: no `.metadata` files are offered. */
  readonly hasMetadata?: boolean
  /** Default: to this proxy. To the origin where the client reaches that through this proxy anyway. */
  readonly links?: PageLinks
}

export type PageLinks = 'proxy' | 'origin'

/** `rulings` has an entry for each file that is not kept (see `decidePage`). */
export function rewritePage(
  record: ProjectRecord,
  rulings: ReadonlyMap<RecordFile, Ruling>,
  options: RewriteOptions,
): ProjectPage {
  const isShown = (file: RecordFile): boolean =>
    options.showHidden || rulings.get(file)?.kind !== 'hide'
  return rewriteFiles(record, isShown, (file) => {
    const ruling = rulings.get(file)
    const yanked = ruling?.kind === 'hide' ? ruling.reason : yankReason(file)
    const link =
      options.links === 'origin' ? file.url : renderLink(record.name, parseFileUrl(file.url))
    const shown = rewriteFile(file, yanked, link)
    return options.hasMetadata === false ? withoutMetadata(shown) : shown
  })
}

/** The same for readers without a proxy: links lead to the origin. What a mirror writes as `index.html`. */
export function rewriteForOrigin(record: RecordContent): ProjectPage {
  return rewriteFiles(
    record,
    () => true,
    (file) => rewriteFile(file, yankReason(file), file.url),
  )
}

function rewriteFiles(
  record: RecordContent,
  isShown: (file: RecordFile) => boolean,
  rewrite: (file: RecordFile) => ProjectFile,
): ProjectPage {
  const { name, files: all, status } = record
  // PEP 792: of a quarantined project no files are offered.
  const shown = status?.status === 'quarantined' ? [] : all.filter(isShown)
  return {
    name,
    files: shown.map(rewrite),
    versions: keepShownVersions(record.versions, { all, shown }, name),
    ...(status === undefined ? {} : { status }),
    extra: publicMembers(record.extra),
  }
}

function withoutMetadata(file: ProjectFile): ProjectFile {
  const { coreMetadata: _, ...rest } = file
  return rest
}

/** A file that is withdrawn or listed no more is shown as yanked (PEP 592): nobody gets it by chance. */
function yankReason(file: RecordFile): string | undefined {
  if (file.denied !== undefined)
    return `withdrawn since ${file.denied.since}: ${file.denied.reason}`
  if (file.removed === undefined) return file.yanked
  return `not listed since ${file.removed}${file.yanked ? `: ${file.yanked}` : ''}`
}

/**
 * Member by member: what is new in a record is not shown before somebody thought of it here.
 * Signatures (`gpg-sig`) are not served, so they are not offered.
 */
function rewriteFile(file: RecordFile, yanked: string | undefined, url: string): ProjectFile {
  const { filename, uploadTime, requiresPython, coreMetadata, provenance } = file
  const size = file.size ?? file.toldSize
  return {
    filename,
    url,
    // pip checks the first hash only: there is no other.
    hashes: new Map([['sha256', file.sha256]]),
    ...(size === undefined ? {} : { size }),
    ...(uploadTime === undefined ? {} : { uploadTime }),
    ...(requiresPython === undefined ? {} : { requiresPython }),
    ...(yanked === undefined ? {} : { yanked }),
    ...(coreMetadata?.has('sha256') === true ? { coreMetadata } : {}),
    ...(provenance === undefined ? {} : { provenance }),
    extra: publicMembers(file.extra),
  }
}
