/**
 * A mirror at an HTTP(S) address: any static server that has the published tree. It satisfies
 * the client's `RepositorySource` by shape. Nothing here trusts a byte of what comes.
 */

import type { Bytes } from '../base/bytes.ts'
import { UpstreamError } from '../base/errors.ts'
import { hostOf, showUrl } from './host-rules.ts'
import type { HttpClient } from './http-client.ts'

export interface MirrorSource {
  readonly name: string
  fetchMetadata(
    path: string,
    maxBytes: number,
    etag?: string,
  ): Promise<{ readonly bytes: Bytes; readonly etag?: string } | 'absent' | 'unchanged'>
  fetchTarget(path: string, maxBytes: number): Promise<Bytes | undefined>
}

/** `baseUrl` contains `metadata/` and `targets/`, with or without its last slash. */
export function createMirrorSource(http: Pick<HttpClient, 'get'>, baseUrl: string): MirrorSource {
  const base = new URL(baseUrl.endsWith('/') ? baseUrl : `${baseUrl}/`)
  const hosts = hostOf(base.href)
  return {
    name: showUrl(base),
    async fetchMetadata(path, maxBytes, etag) {
      // Object stores answer 403 for what is not there, to those who may not list.
      const options = { hosts, maxBytes, etag, statuses: [403, 404] }
      const { status, headers, body } = await http.get(resolveInside(base, path), options)
      if (status === 304) return 'unchanged'
      if (status !== 200) return 'absent'
      return headers.etag === undefined ? { bytes: body } : { bytes: body, etag: headers.etag }
    },
    async fetchTarget(path, maxBytes) {
      const url = resolveInside(base, path)
      const { status, body } = await http.get(url, { hosts, maxBytes, statuses: [404] })
      return status === 200 ? body : undefined
    },
  }
}

/** Role and project names come from metadata: none of them may lead out of the mirror. */
function resolveInside(base: URL, path: string): string {
  const url = URL.parse(path, base.href)
  const isInside =
    url !== null && url.href.startsWith(base.href) && url.search === '' && url.hash === ''
  if (isInside) return url.href
  throw new UpstreamError('HOST_REFUSED', `a path leads out of the mirror ${showUrl(base)}`, {
    found: path.slice(0, 200),
    url: showUrl(base),
    next: 'The metadata names something that is no part of this mirror; tell whoever runs it.',
  })
}
