/**
 * Rendered pages, bounded in bytes, least recently used out first. What is asked for by many at once is
 * built once. A key must name everything that the bytes depend on.
 */

import type { Bytes } from '../base/bytes.ts'

export interface CachedPage {
  readonly body: Bytes
  readonly etag: string
  /** Name, value, name, value; for a 200. */
  readonly headers: readonly string[]
}

/** What an entry costs besides its body. */
const entryOverheadBytes = 1024

export class PageCache {
  readonly #maxBytes: number
  readonly #pages = new Map<string, CachedPage>()
  readonly #building = new Map<string, Promise<CachedPage>>()
  #bytes = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  find(key: string): CachedPage | undefined {
    const page = this.#pages.get(key)
    if (page === undefined) return undefined
    // A Map keeps the order of insertion: the last is the youngest.
    this.#pages.delete(key)
    this.#pages.set(key, page)
    return page
  }

  async findOrBuild(key: string, build: () => Promise<CachedPage>): Promise<CachedPage> {
    const page = this.find(key)
    if (page !== undefined) return page
    const running = this.#building.get(key)
    if (running !== undefined) return running
    const building = this.#build(key, build)
    this.#building.set(key, building)
    return building
  }

  async #build(key: string, build: () => Promise<CachedPage>): Promise<CachedPage> {
    try {
      const page = await build()
      this.#put(key, page)
      return page
    } finally {
      this.#building.delete(key)
    }
  }

  #put(key: string, page: CachedPage): void {
    const cost = page.body.length + entryOverheadBytes
    if (cost > this.#maxBytes) return
    this.#pages.set(key, page)
    this.#bytes += cost
    for (const [oldest, { body }] of this.#pages) {
      if (this.#bytes <= this.#maxBytes) return
      this.#pages.delete(oldest)
      this.#bytes -= body.length + entryOverheadBytes
    }
  }
}
