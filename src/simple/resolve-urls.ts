/**
 * Links of a page -> absolute http(s) URLs in one written form. What has a query or credentials, or
 * leads elsewhere than http, is left out and reported. Whether a host may be asked is not judged here.
 */

import { VerifyError } from '../base/errors.ts'
import type { ProjectFile } from './model.ts'
import type { ParsedPage, SkippedLink } from './parse-json.ts'
import { describeLink } from './read-text.ts'

/** `pageUrl` is the final URL of the page, after redirects. What is left out is added to `skipped`. */
export function resolveUrls(page: ParsedPage, pageUrl: string): ParsedPage {
  const base = requireBase(page, pageUrl)
  const files: ProjectFile[] = []
  const skipped: SkippedLink[] = [...page.skipped]
  for (const file of page.files) {
    const url = URL.parse(file.url, base)
    const problem = url === null ? 'not a URL' : findProblem(url)
    if (url === null || problem !== undefined) {
      // Not the URL: its query or credentials would go into logs.
      skipped.push({ link: file.filename, problem: problem ?? 'not a URL' })
    } else {
      url.hash = ''
      files.push({ ...file, url: url.href })
    }
  }
  // The links are absolute now: without a base.
  const { base: _, ...rest } = page
  return { ...rest, files, skipped }
}

/** Without credentials, which a relative link would inherit. */
function requireBase(page: ParsedPage, pageUrl: string): string {
  const base = URL.parse(page.base ?? '', pageUrl)
  if (base === null || !/^https?:$/.test(base.protocol)) {
    throw new VerifyError('MALFORMED', `the index page of ${page.name} has a base that is no URL`, {
      found: describeLink(page.base ?? ''),
      next: 'Ask the operator of the index to look at the page',
    })
  }
  base.username = ''
  base.password = ''
  return base.href
}

function findProblem(url: URL): string | undefined {
  if (!/^https?:$/.test(url.protocol)) return 'its scheme is neither http nor https'
  if (url.username !== '' || url.password !== '') return 'it has credentials'
  if (url.search !== '' || url.href.split('#', 1)[0]?.endsWith('?') === true)
    return 'it has a query'
  return undefined
}
