/** An index over HTTP whose pages a test writes, and which it takes down, holds up and brings back. */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { sha256Hex } from '../../src/base/digest.ts'

export interface TestFile {
  readonly filename: string
  /** Default: of the file name. */
  readonly content?: string
  readonly url?: string
  readonly uploadTime?: string
}

export type Mode = 'up' | 'down' | 'silent'

export class TestIndex {
  readonly requests: string[] = []
  mode: Mode = 'up'
  hasEtags = true
  readonly #pages = new Map<string, string>()
  readonly #files = new Map<string, string>()
  readonly #statuses = new Map<string, number>()
  readonly #redirects = new Map<string, string>()
  readonly #silent = new Set<string>()
  readonly #watched = new Map<string, () => void>()
  readonly #server: Server
  readonly #silenced: (() => void)[] = []

  private constructor() {
    this.#server = createServer((request, response) => this.#answer(request, response))
  }

  static async start(): Promise<TestIndex> {
    const index = new TestIndex()
    await new Promise<void>((resolve) => index.#server.listen(0, '127.0.0.1', resolve))
    return index
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/simple/`
  }

  put(project: string, files: readonly (TestFile | string)[]): void {
    const page = {
      meta: { 'api-version': '1.1' },
      name: project,
      files: files.map((file) => renderFile(typeof file === 'string' ? { filename: file } : file)),
    }
    this.#pages.set(project, JSON.stringify(page))
  }

  putRaw(project: string, text: string): void {
    this.#pages.set(project, text)
  }

  putFile(filename: string, content: string): void {
    this.#files.set(`/files/${filename}`, content)
  }

  fail(project: string, status: number): void {
    this.#statuses.set(`/simple/${project}/`, status)
  }

  redirect(project: string, location: string): void {
    this.#redirects.set(`/simple/${project}/`, location)
  }

  /** Requests for it are held up until `release`. */
  silence(path: string): void {
    this.#silent.add(path)
  }

  /** Resolves with the next request for it, or at once where there was one. */
  seen(path: string): Promise<void> {
    if (this.requests.includes(path)) return Promise.resolve()
    return new Promise((resolve) => {
      this.#watched.set(path, resolve)
    })
  }

  drop(project: string): void {
    this.#pages.delete(project)
  }

  count(project: string): number {
    return this.requests.filter((path) => path === `/simple/${project}/`).length
  }

  /** What was held up is answered now. */
  release(): void {
    this.mode = 'up'
    this.#silent.clear()
    for (const answer of this.#silenced.splice(0)) answer()
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve())
      this.#server.closeAllConnections()
    })
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const { url = '' } = request
    this.requests.push(url)
    this.#watched.get(url)?.()
    const isSilent = this.mode === 'silent' || this.#silent.has(url)
    if (this.mode === 'down') request.socket.destroy()
    else if (isSilent) this.#silenced.push(() => this.#answerPath(request, response))
    else this.#answerPath(request, response)
  }

  #answerPath(request: IncomingMessage, response: ServerResponse): void {
    const { url = '' } = request
    const file = this.#files.get(url)
    const location = this.#redirects.get(url)
    const status = this.#statuses.get(url)
    if (file !== undefined) response.writeHead(200).end(file)
    else if (location !== undefined) response.writeHead(302, { location }).end()
    else if (status !== undefined) response.writeHead(status).end()
    else this.#answerPage(request, response)
  }

  #answerPage({ url = '', headers }: IncomingMessage, response: ServerResponse): void {
    const page = this.#pages.get(/^\/simple\/([^/]+)\/$/.exec(url)?.[1] ?? '')
    const etag = this.hasEtags ? `"${digestOf(page ?? '').slice(0, 16)}"` : undefined
    if (page === undefined) response.writeHead(404).end()
    else if (etag !== undefined && headers['if-none-match'] === etag) {
      response.writeHead(304, { etag }).end()
    } else {
      response.writeHead(200, { 'content-type': jsonType, ...(etag && { etag }) }).end(page)
    }
  }
}

const jsonType = 'application/vnd.pypi.simple.v1+json'

export function digestOf(content: string): string {
  return sha256Hex(Buffer.from(content))
}

function renderFile({ filename, content = filename, url, uploadTime }: TestFile): object {
  return {
    filename,
    url: url ?? `../../files/${filename}`,
    hashes: { sha256: digestOf(content) },
    size: content.length,
    ...(uploadTime !== undefined && { 'upload-time': uploadTime }),
  }
}
