/**
 * Answers of the search for targets, kept for the trusted set in which they were found: pages and
 * files of one project ask the same again and again. An answer holds until the first of the roles on
 * its way expires, which is asked at each use.
 */

import type { Search } from '../tuf/search.ts'
import type { TrustedSet } from '../tuf/trusted-set.ts'

/** Some MB at most. */
const maxKept = 4096

export type Answer = Pick<Search, 'target' | 'role'>

export class SearchMemo {
  #trusted: TrustedSet | undefined
  readonly #kept = new Map<string, Answer & { readonly expires: number }>()

  /** What `search` throws is not kept. `now` in ms. */
  async find(
    trusted: TrustedSet,
    path: string,
    now: number,
    search: () => Promise<Search>,
  ): Promise<Answer> {
    if (trusted !== this.#trusted) this.#forget(trusted)
    const kept = this.#kept.get(path)
    if (kept !== undefined && now < kept.expires) return kept
    const found = await search()
    if (trusted === this.#trusted) this.#keep(path, found)
    return found
  }

  #forget(trusted: TrustedSet): void {
    this.#trusted = trusted
    this.#kept.clear()
  }

  #keep(path: string, { target, role, visited }: Search): void {
    const [oldest] = this.#kept.keys()
    if (this.#kept.size >= maxKept && oldest !== undefined) this.#kept.delete(oldest)
    const expires = Math.min(...visited.map((one) => one.expires))
    this.#kept.set(path, { role, expires, ...(target !== undefined && { target }) })
  }
}
