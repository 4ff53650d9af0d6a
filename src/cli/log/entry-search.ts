/**
 * Lines of the log for a page that anybody on the machine can ask for: one search at a time, of the
 * newest part alone, and a pause behind each that is as long as it was expensive.
 */

import { buildAuditError } from '../../audit/audit-error.ts'
import { type AuditSearch, searchAudit } from '../../audit/search.ts'
import type { Clock } from '../../base/clock.ts'
import type { EntryLookup } from '../../proxy/proxy-state.ts'

const maxBytes = 64 * 1024 ** 2
/** Reading goes at some hundred times this: searches take about a hundredth of the time. */
const bytesPerMs = 4096
const maxRemembered = 200

const busy: EntryLookup = { entries: [], searched: 'busy' }

export class EntrySearch {
  readonly #folder: string
  readonly #clock: Clock
  /** Found ones: what is written does not change. */
  readonly #found = new Map<string, EntryLookup>()
  #running: { readonly id: string; readonly lookup: Promise<EntryLookup> } | undefined
  #pause = { from: 0, ms: 0 }

  constructor(folder: string, clock: Clock) {
    this.#folder = folder
    this.#clock = clock
  }

  async find(id: string): Promise<EntryLookup> {
    const known = this.#found.get(id)
    if (known !== undefined) return known
    if (this.#running?.id === id) return this.#running.lookup
    if (this.#running !== undefined || this.#isPausing()) return busy
    const lookup = this.#search(id).finally(() => (this.#running = undefined))
    this.#running = { id, lookup }
    return lookup
  }

  /** A clock that was set back ends the pause. */
  #isPausing(): boolean {
    const age = this.#clock() - this.#pause.from
    return age >= 0 && age < this.#pause.ms
  }

  async #search(id: string): Promise<EntryLookup> {
    const { entries, isWhole } = await this.#read(id)
    const lookup: EntryLookup = { entries, searched: isWhole ? 'whole' : 'partly' }
    if (entries.length > 0) this.#remember(id, lookup)
    return lookup
  }

  /** Throws StorageError. */
  async #read(id: string): Promise<AuditSearch> {
    try {
      const search = await searchAudit(this.#folder, { ids: [id] }, maxBytes)
      this.#pauseAfter(search.bytes)
      return search
    } catch (error) {
      // Nobody tells how much was read before it failed.
      this.#pauseAfter(maxBytes)
      throw buildAuditError(error, 'look for lines in the audit log')
    }
  }

  #pauseAfter(bytes: number): void {
    this.#pause = { from: this.#clock(), ms: bytes / bytesPerMs }
  }

  #remember(id: string, lookup: EntryLookup): void {
    this.#found.set(id, lookup)
    const [oldest] = this.#found.size > maxRemembered ? this.#found.keys() : []
    if (oldest !== undefined) this.#found.delete(oldest)
  }
}
