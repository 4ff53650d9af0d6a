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
  readonly #pages = new Map<string, string>()
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

  drop(project: string): void {
    this.#pages.delete(project)
  }

  count(project: string): number {
    return this.requests.filter((path) => path === `/simple/${project}/`).length
  }

  /** What was held up is answered now. */
  release(): void {
    this.mode = 'up'
    for (const answer of this.#silenced.splice(0)) answer()
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve())
      this.#server.closeAllConnections()
    })
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    this.requests.push(request.url ?? '')
    if (this.mode === 'down') request.socket.destroy()
    else if (this.mode === 'up') this.#answerPage(request, response)
    else this.#silenced.push(() => this.#answerPage(request, response))
  }

  #answerPage({ url = '', headers }: IncomingMessage, response: ServerResponse): void {
    const page = this.#pages.get(/^\/simple\/([^/]+)\/$/.exec(url)?.[1] ?? '')
    const etag = `"${digestOf(page ?? '').slice(0, 16)}"`
    if (page === undefined) response.writeHead(404).end()
    else if (headers['if-none-match'] === etag) response.writeHead(304, { etag }).end()
    else response.writeHead(200, { 'content-type': jsonType, etag }).end(page)
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
