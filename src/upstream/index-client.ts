/**
 * The unmodified index over HTTP(S): one project's page, the list of projects, and what can be
 * asked about a file. Bytes come back as they are; `simple/` parses them. It judges nothing.
 */

import type { Bytes } from '../base/bytes.ts'
import { createHasher } from '../base/digest.ts'
import { UpstreamError } from '../base/errors.ts'
import { showUrl, type HostRules } from './host-rules.ts'
import type { HttpClient, HttpResponse } from './http-client.ts'
import { parseDate, type ResponseHead } from './response-head.ts'

/** What the caller has of a page already. */
export interface Validators {
  readonly etag?: string
  readonly lastModified?: string
}

export interface PageRequest extends Validators {
  /** Past the caches on the way. */
  readonly isFresh?: boolean
}

export interface IndexPage extends Validators {
  readonly kind: 'page'
  readonly body: Bytes
  readonly format: 'json' | 'html'
  readonly contentType: string
  /** `X-PyPI-Last-Serial`. */
  readonly serial?: number
  /** The base of its relative links. */
  readonly url: string
}

/** An index, over HTTP or in a folder (`store/folder-index.ts` has the same shape). */
export interface IndexSource {
  /** For messages and logs: a URL without credentials, or a folder. */
  readonly name: string
  /** `project` is normalized. `unchanged` only where validators were given. Throws UpstreamError. */
  fetchProject(project: string, known?: PageRequest): Promise<IndexPage | 'unchanged' | 'absent'>
  fetchProjectList(known?: Validators): Promise<IndexPage | 'unchanged' | 'absent'>
  /** Bytes of a file, where the server tells it. */
  findSize(url: string): Promise<number | undefined>
  /** Reads the whole file and keeps nothing of it. */
  hashFile(url: string): Promise<{ readonly sha256: string; readonly size: number }>
  /** The whole file, once. */
  fetchFile(url: string, sink: FileSink): Promise<void>
}

export interface FileSink {
  /** Before the first byte of each attempt: what came before is not part of it. */
  restart(): Promise<void>
  /** One chunk at a time, which is used again afterwards. */
  write(chunk: Bytes): Promise<void>
}

export interface IndexClientOptions {
  /** The Simple API's own address, `https://pypi.org/simple/`. */
  readonly url: string
  /** Where pages and files may be, redirects included. */
  readonly hosts: HostRules
  readonly maxPageBytes?: number
  readonly maxListBytes?: number
  readonly maxFileBytes?: number
}

// JSON before HTML: it has size and upload time, and costs a sixth to parse.
const acceptPages =
  'application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.01'

const mebibyte = 1024 ** 2
/** The list of a whole PyPI is about 50 MB. */
const listDeadlineMs = 600_000

export function createIndexClient(
  http: Pick<HttpClient, 'get' | 'findLength' | 'download'>,
  options: IndexClientOptions,
): IndexSource {
  const { hosts, maxPageBytes = 64 * mebibyte, maxListBytes = 256 * mebibyte } = options
  const { maxFileBytes = 5 * 1024 ** 3 } = options
  const base = options.url.endsWith('/') ? options.url : `${options.url}/`
  const request = { hosts, accept: acceptPages, statuses: [404, 410] }
  return {
    name: showUrl(base),
    async fetchProject(project, known) {
      const url = new URL(`${encodeURIComponent(project)}/`, base).href
      return readPage(await http.get(url, { ...request, ...known, maxBytes: maxPageBytes }))
    },
    async fetchProjectList(known) {
      const limits = { maxBytes: maxListBytes, deadlineMs: listDeadlineMs }
      return readPage(await http.get(base, { ...request, ...known, ...limits }))
    },
    findSize: (url) => http.findLength(url, { hosts }),
    hashFile: (url) => hashFile(http, url, { hosts, maxBytes: maxFileBytes }),
    fetchFile: async (url, sink) => {
      await sink.restart()
      const write = (chunk: Bytes): Promise<void> => sink.write(chunk)
      await http.download(url, { write }, { hosts, maxBytes: maxFileBytes })
    },
  }
}

function readPage(response: HttpResponse): IndexPage | 'unchanged' | 'absent' {
  if (response.status === 304) return 'unchanged'
  if (response.status !== 200) return 'absent'
  const { etag, serial, contentType = '' } = response.headers
  const lastModified = findLastModified(response.headers)
  return {
    kind: 'page',
    body: response.body,
    format: requireFormat(response.url, contentType),
    contentType,
    url: response.url,
    ...(etag === undefined ? {} : { etag }),
    ...(lastModified === undefined ? {} : { lastModified }),
    ...(serial === undefined ? {} : { serial }),
  }
}

const settledAfterMs = 60_000

/**
 * RFC 9110 8.8.2.2: times of whole seconds tell two versions apart only once the page has been left
 * alone for a while.
 */
function findLastModified({ lastModified, date }: ResponseHead): string | undefined {
  const changedAt = parseDate(lastModified)
  if (changedAt === undefined || date === undefined) return undefined
  return date - changedAt >= settledAfterMs ? lastModified : undefined
}

const formats: ReadonlyMap<string, IndexPage['format']> = new Map([
  ['application/vnd.pypi.simple.v1+json', 'json'],
  // Static servers do not know the type of PEP 691.
  ['application/json', 'json'],
  ['application/vnd.pypi.simple.v1+html', 'html'],
  ['text/html', 'html'],
])

function requireFormat(url: string, contentType: string): IndexPage['format'] {
  const type = (contentType.split(';')[0] ?? '').trim().toLowerCase()
  const format = formats.get(type)
  if (format !== undefined) return format
  throw new UpstreamError('BAD_STATUS', `${showUrl(url)} is not a page of the Simple API`, {
    expected: 'application/vnd.pypi.simple.v1+json or text/html',
    found: type === '' ? 'no Content-Type' : type,
    url: showUrl(url),
    next: 'Look at the url of the index; it should end in /simple/.',
  })
}

async function hashFile(
  http: Pick<HttpClient, 'download'>,
  url: string,
  options: { readonly hosts: HostRules; readonly maxBytes: number },
): Promise<{ sha256: string; size: number }> {
  const hasher = createHasher('sha256')
  let size = 0
  const write = (chunk: Bytes): void => {
    hasher.update(chunk)
    size += chunk.byteLength
  }
  await http.download(url, { write }, options)
  return { sha256: hasher.digestHex(), size }
}
