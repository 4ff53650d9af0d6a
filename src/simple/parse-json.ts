/**
 * A page of an index in JSON (PEP 691, 700, 714, 740, 792) -> ProjectPage. What it says is read, not
 * judged: URLs are resolved in `resolve-urls.ts`, the rules for a record stand in `file-url.ts`.
 */

import type { Bytes } from '../base/bytes.ts'
import type { ProjectFile, ProjectPage } from './model.ts'
import { readFile, readFiles } from './read-file.ts'
import {
  readApiVersion,
  readDocument,
  readJsonObject,
  readPageExtra,
  readStatus,
  readVersions,
  requirePageName,
} from './read-page.ts'
import { readMember } from '../base/decode.ts'
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
    return {
      name: project,
      ...keepConsistent(readMember(page, 'files', (files) => readFiles(files, readFile))),
      versions: readVersions(page),
      ...(status === undefined ? {} : { status }),
      extra: readPageExtra(page),
    }
  })
}

/** pip lets a digest in the fragment override `hashes`: the two must not differ. */
function keepConsistent(files: readonly ProjectFile[]): Pick<ParsedPage, 'files' | 'skipped'> {
  const kept: ProjectFile[] = []
  const skipped: SkippedLink[] = []
  for (const file of files) {
    if (!file.url.includes('#')) {
      kept.push(file)
      continue
    }
    const { url, hashes } = splitFragment(file.url)
    const contradicts = [...hashes].some(
      ([name, digest]) => (file.hashes.get(name) ?? digest) !== digest,
    )
    if (contradicts)
      skipped.push({ link: file.filename, problem: 'the digest in its URL is another one' })
    else kept.push({ ...file, url, hashes: new Map([...file.hashes, ...hashes]) })
  }
  return { files: kept, skipped }
}
