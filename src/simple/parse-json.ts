/**
 * A page of an index in JSON (PEP 691, 700, 714, 740, 792) -> ProjectPage. What it says is read, not
 * judged: URLs are resolved in `resolve-urls.ts`, the rules for a record stand in `file-url.ts`.
 */

import type { Bytes } from '../base/bytes.ts'
import { DecodeError, member, readMember, readObject, type JsonObject } from '../base/decode.ts'
import type { ProjectFile, ProjectPage } from './model.ts'
import { readFile, readFiles } from './read-file.ts'
import {
  readApiVersion,
  readDocument,
  readJsonObject,
  readLastSerial,
  readPageExtra,
  readStatus,
  readVersions,
  requirePageName,
} from './read-page.ts'
import { isFilename } from './read-text.ts'
import { splitFragment } from './url-fragment.ts'

/** A link that was left out, and why. */
export interface SkippedLink {
  /** The file name as the page has it, or else the link without its secrets. */
  readonly link: string
  readonly problem: string
}

/** A page as it was read; `base` is the first `<base href>` of an HTML page. */
export interface ParsedPage extends ProjectPage {
  readonly base?: string
  /** `_last-serial` of `meta`: rises with each change of the project, where the index has it. */
  readonly serial?: number
  readonly skipped: readonly SkippedLink[]
}

/** `project` is normalized. Throws VerifyError MALFORMED or UNSUPPORTED (other major API version). */
export function parsePageJson(bytes: Bytes, project: string): ParsedPage {
  const what = `the index page of ${project}`
  return readDocument(what, () => {
    const page = readJsonObject(bytes, what)
    readApiVersion(page, what)
    requirePageName(page, project, what)
    const status = readStatus(page)
    const serial = readMember(page, 'meta', (meta) => readLastSerial(readObject(meta)))
    return {
      name: project,
      ...(serial === undefined ? {} : { serial }),
      ...readMember(page, 'files', readListed),
      versions: readVersions(page),
      ...(status === undefined ? {} : { status }),
      extra: readPageExtra(page),
    }
  })
}

/** One bad entry is left out and told; it must not keep the rest of a project from being signed. */
function readListed(value: unknown): Pick<ParsedPage, 'files' | 'skipped'> {
  const files: ProjectFile[] = []
  const skipped: SkippedLink[] = []
  for (const item of readFiles(value, (raw) => raw)) {
    try {
      files.push(requireConsistent(readFile(item)))
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error
      skipped.push({ link: describeEntry(item), problem: error.message })
    }
  }
  return { files, skipped }
}

/** pip lets a digest in the fragment override `hashes`: the two must not differ. */
function requireConsistent(file: ProjectFile): ProjectFile {
  if (!file.url.includes('#')) return file
  const { url, hashes } = splitFragment(file.url)
  const contradicts = [...hashes].some(
    ([name, digest]) => (file.hashes.get(name) ?? digest) !== digest,
  )
  if (contradicts) throw new DecodeError('the digest in its URL is another one')
  return { ...file, url, hashes: new Map([...file.hashes, ...hashes]) }
}

function describeEntry(item: unknown): string {
  const name =
    typeof item === 'object' && item !== null ? member(item as JsonObject, 'filename') : undefined
  const isShown = typeof name === 'string' && name.length <= 255 && isFilename(name)
  return isShown ? name : 'an entry without a file name'
}
