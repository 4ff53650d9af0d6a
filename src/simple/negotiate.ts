/** Which of the three page formats, and which encoding, a client gets (PEP 691, as PyPI does it). */

export type PageFormat = 'json-v1' | 'html-v1' | 'text-html'

/** `Accept` -> format. Never throws: what cannot be satisfied gets HTML, as on PyPI. */
export function negotiate(rawAccept: string | undefined): PageFormat {
  throw new Error(`not built: ${rawAccept}`)
}

export function contentTypeOf(format: PageFormat): string {
  throw new Error(`not built: ${format}`)
}

/** `Accept-Encoding` -> encoding of a page. */
export function negotiateEncoding(rawAcceptEncoding: string | undefined): 'gzip' | 'identity' {
  throw new Error(`not built: ${rawAcceptEncoding}`)
}
