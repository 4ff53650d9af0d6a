/**
 * The JSON of a project and of its releases: the signed record as policy shows it, like its page. Nothing of
 * the index's own JSON gets here. A release of which policy shows no file is refused, and says why.
 */

import { type Bytes, encodeUtf8, toPrintable } from '../base/bytes.ts'
import { sha256Hex } from '../base/digest.ts'
import { DecisionError, RequestError } from '../base/errors.ts'
import { findTrustWords, trustKindOf } from '../base/trust-words.ts'
import type { DeclaredMetadata } from '../simple/declared-metadata.ts'
import type { ProjectFile } from '../simple/model.ts'
import type { ProjectRecord, RecordFile } from '../simple/record.ts'
import {
  groupReleases,
  releaseContentType,
  type ReleaseFiles,
  renderProjectJson,
  renderReleaseJson,
} from '../simple/release-json.ts'
import type { PageLinks } from '../simple/rewrite.ts'
import { comparableVersion } from '../simple/version-key.ts'
import type { DeclaredReader } from './declared-reader.ts'
import type { Exchange } from './exchange.ts'
import { type DecidedProject, keyOf, type Pages, rewriteDecided } from './page.ts'
import type { CachedPage } from './page-cache.ts'

type Releases = ReturnType<typeof groupReleases>

const headers = ['Vary', 'Accept-Encoding', 'Content-Type', releaseContentType]

export class ReleaseAnswers {
  readonly #pages: Pages
  readonly #declared: DeclaredReader
  readonly #releases = new WeakMap<ProjectRecord, Releases>()

  constructor(pages: Pages, declared: DeclaredReader) {
    this.#pages = pages
    this.#declared = declared
  }

  async findProject(
    exchange: Exchange,
    decided: DecidedProject,
    links: PageLinks,
  ): Promise<CachedPage> {
    const { record } = decided.found
    const render = (): Bytes => {
      const releases = [...this.#group(record).values()].map(({ version, files }) => ({
        version,
        files: rewriteDecided(decided, links, files).files,
      }))
      return renderProjectJson(releases, textsOf(decided))
    }
    return this.#pages.findRendered(exchange, `${keyOf(decided, links)} json`, { headers, render })
  }

  /** Throws RequestError NOT_FOUND, and DecisionError where no file of the release is shown. */
  async findRelease(
    exchange: Exchange,
    decided: DecidedProject,
    { rawVersion, links }: { readonly rawVersion: string; readonly links: PageLinks },
  ): Promise<CachedPage> {
    const release = this.#requireRelease(decided, rawVersion)
    const shown = requireShown(decided, release, links)
    const declared = await this.#declared.read(exchange, decided, release)
    const { version } = release
    const known = declared === undefined ? 'unknown' : digestOf(declared)
    const key = `${keyOf(decided, links)} json ${known} ${comparableVersion(version)}`
    const render = (): Bytes =>
      renderReleaseJson(
        { version, files: shown.map((file) => moveDown(file, links)) },
        { ...textsOf(decided), ...(declared !== undefined && { declared }) },
      )
    return this.#pages.findRendered(exchange, key, { headers, render })
  }

  #requireRelease({ found }: DecidedProject, rawVersion: string): ReleaseFiles<RecordFile> {
    const release = this.#group(found.record).get(comparableVersion(rawVersion))
    if (release !== undefined) return release
    const record = findTrustWords(trustKindOf(found.trust)).record(found.record.name)
    throw new RequestError('NOT_FOUND', `${record} lists no files of ${toPrintable(rawVersion)}`)
  }

  /** Once for each record: an installer asks for one release after the other. */
  #group(record: ProjectRecord): Releases {
    const known = this.#releases.get(record)
    if (known !== undefined) return known
    const releases = groupReleases(record)
    this.#releases.set(record, releases)
    return releases
  }
}

function textsOf({ found }: DecidedProject): { name: string; remark?: string } {
  const { pageRemark } = findTrustWords(trustKindOf(found.trust))
  return { name: found.record.name, ...(pageRemark !== undefined && { remark: pageRemark }) }
}

function requireShown(
  decided: DecidedProject,
  release: ReleaseFiles<RecordFile>,
  links: PageLinks,
): readonly ProjectFile[] {
  const { files } = rewriteDecided(decided, links, release.files)
  if (files.length > 0) return files
  const { name, status } = decided.found.record
  // PEP 792: of a quarantined project no files are offered.
  if (status?.status === 'quarantined') {
    throw new DecisionError('REMOVED', `the index has put project ${name} into quarantine`)
  }
  const [ruling] = release.files.flatMap((file) => decided.decision.rulings.get(file) ?? [])
  if (ruling === undefined) throw new RequestError('NOT_FOUND', 'the release has no files')
  throw new DecisionError(ruling.code, ruling.reason)
}

/** Links to this proxy are relative to a page, which lies one level higher. */
function moveDown(file: ProjectFile, links: PageLinks): ProjectFile {
  return links === 'origin' ? file : { ...file, url: `../${file.url}` }
}

function digestOf(declared: DeclaredMetadata): string {
  return sha256Hex(encodeUtf8(JSON.stringify(declared)))
}
