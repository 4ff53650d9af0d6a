/**
 * A page of an index in HTML (PEP 503, 592, 629, 658, 714, 740, 792) -> ProjectPage. Only `a`, `base`
 * and `meta` are looked at; the name of a file is the last segment of its link, as pip has it.
 */

import type { Bytes } from '../base/bytes.ts'
import { DecodeError } from '../base/decode.ts'
import { readTags, type Attributes } from './html-tags.ts'
import type { CoreMetadata, ProjectFile, ProjectStatus } from './model.ts'
import type { ParsedPage, SkippedLink } from './parse-json.ts'
import { isDigestText, maxFilesPerPage } from './read-file.ts'
import { readDocument, readUtf8, requireApiVersion } from './read-page.ts'
import {
  describeLink,
  isAbsoluteUrl,
  isFilename,
  parseUploadTime,
  readFilename,
  readText,
  readUrlText,
} from './read-text.ts'
import { splitFragment } from './url-fragment.ts'

/** `project` is normalized. Throws VerifyError MALFORMED or UNSUPPORTED (other major API version). */
export function parsePageHtml(bytes: Bytes, project: string): ParsedPage {
  const what = `the index page of ${project}`
  return readDocument(what, () => {
    const reading = new PageReading(what)
    readTags(readUtf8(bytes, what), {
      a: (attributes) => reading.addAnchor(attributes),
      base: (attributes) => reading.setBase(attributes),
      meta: (attributes) => reading.addMeta(attributes),
    })
    return reading.finish(project)
  })
}

class PageReading {
  readonly #what: string
  readonly #files: ProjectFile[] = []
  readonly #skipped: SkippedLink[] = []
  #base: string | undefined
  #status: string | undefined
  #statusReason: string | undefined

  constructor(what: string) {
    this.#what = what
  }

  addAnchor(attributes: Attributes): void {
    const at = this.#files.length + this.#skipped.length
    if (at >= maxFilesPerPage) {
      throw new DecodeError(`more than ${maxFilesPerPage} links`)
    }
    const href = attributes.get('href')?.trim() ?? ''
    const filename = findFilename(href)
    if (filename === undefined) {
      this.#skipped.push({ link: describeLink(href), problem: 'a link without a file name' })
    } else {
      this.#addFile(href, filename, attributes)
    }
  }

  /** One bad link is left out and told; it must not keep the rest of a project from being signed. */
  #addFile(href: string, filename: string, attributes: Attributes): void {
    try {
      this.#files.push(readAnchor(href, filename, attributes))
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error
      this.#skipped.push({
        link: isFilename(filename) ? filename : describeLink(href),
        problem: error.message,
      })
    }
  }

  /** The first that has an address counts, for the links before it too. */
  setBase(attributes: Attributes): void {
    this.#base ??= attributes.get('href')?.trim()
  }

  addMeta(attributes: Attributes): void {
    const content = attributes.get('content') ?? ''
    switch (attributes.get('name')) {
      case 'pypi:repository-version': // PEP 629
        requireApiVersion(content.trim(), this.#what)
        break
      case 'pypi:project-status': // PEP 792
        this.#status ??= readText(content)
        break
      case 'pypi:project-status-reason':
        this.#statusReason ??= readText(content)
        break
      default:
    }
  }

  finish(project: string): ParsedPage {
    const status = this.#findStatus()
    return {
      name: project,
      files: this.#files,
      skipped: this.#skipped,
      versions: [],
      ...(status === undefined ? {} : { status }),
      ...(this.#base === undefined ? {} : { base: this.#base }),
      extra: new Map(),
    }
  }

  #findStatus(): ProjectStatus | undefined {
    if (this.#status === undefined) return undefined
    const reason = this.#statusReason
    return { status: this.#status, ...(reason === undefined ? {} : { reason }) }
  }
}

/** As a browser and pip read the link; only its last segment matters, so the base may be any. */
function findFilename(href: string): string | undefined {
  if (href === '') return undefined
  const url = URL.parse(href, 'https://page.invalid/')
  if (url === null || !/^https?:$/.test(url.protocol)) return undefined
  const segment = url.pathname.slice(url.pathname.lastIndexOf('/') + 1)
  try {
    return decodeURIComponent(segment) || undefined
  } catch {
    // Not UTF-8: no name that could be compared with anything.
    return undefined
  }
}

function readAnchor(href: string, filename: string, attributes: Attributes): ProjectFile {
  const { url, hashes } = splitFragment(href)
  const requiresPython = attributes.get('data-requires-python')
  const yanked = attributes.get('data-yanked')
  const gpgSig = attributes.get('data-gpg-sig')
  const coreMetadata = findCoreMetadata(attributes)
  return {
    filename: readFilename(filename),
    url: readUrlText(url),
    hashes,
    ...(requiresPython ? { requiresPython: readText(requiresPython) } : {}),
    ...(yanked === undefined ? {} : { yanked: readText(yanked) }),
    ...(gpgSig === undefined ? {} : { gpgSig: gpgSig === 'true' }),
    ...(coreMetadata === undefined ? {} : { coreMetadata }),
    ...findUnstandardized(attributes),
    extra: new Map(),
  }
}

/** PEP 714 before PEP 658: `sha256=...` or `true`. */
function findCoreMetadata(attributes: Attributes): CoreMetadata | undefined {
  const raw = attributes.get('data-core-metadata') ?? attributes.get('data-dist-info-metadata')
  if (raw === undefined || raw === 'false') return undefined
  const [name = '', digest = ''] = raw.split('=')
  return new Map(isDigestText(name, digest) ? [[name, digest.toLowerCase()]] : [])
}

/** PEP 740; and size and time, which only some indexes have, and uv reads. */
function findUnstandardized(
  attributes: Attributes,
): Pick<ProjectFile, 'provenance' | 'size' | 'uploadTime'> {
  const provenance = attributes.get('data-provenance')
  const size = attributes.get('data-size')
  const uploadTime = attributes.get('data-upload-time')
  return {
    ...(provenance !== undefined && isAbsoluteUrl(provenance)
      ? { provenance: readUrlText(provenance) }
      : {}),
    ...(size !== undefined && /^\d{1,15}$/.test(size) ? { size: Number(size) } : {}),
    ...(uploadTime !== undefined && parseUploadTime(uploadTime) !== undefined
      ? { uploadTime }
      : {}),
  }
}
