/** Links of a page -> absolute http(s) URLs in one written form; what has a query or credentials is left out. */

import type { ParsedPage } from './parse-json.ts'

/** `pageUrl` is the final URL of the page, after redirects. What is left out is added to `skipped`. */
export function resolveUrls(page: ParsedPage, pageUrl: string): ParsedPage {
  throw new Error(`not built: ${page.name} ${pageUrl}`)
}
