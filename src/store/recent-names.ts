/** A bounded set of names that lets go of the least recently used. */

export class RecentNames {
  readonly #max: number
  /** A Set keeps the order of insertion: the first is the least recently used. */
  readonly #names = new Set<string>()

  constructor(max: number, oldestFirst: Iterable<string> = []) {
    this.#max = max
    for (const name of oldestFirst) this.#names.add(name)
  }

  /** The names that had to go; never this one. */
  use(name: string): string[] {
    this.#names.delete(name)
    this.#names.add(name)
    const gone: string[] = []
    for (const oldest of this.#names) {
      if (this.#names.size <= this.#max || oldest === name) break
      this.#names.delete(oldest)
      gone.push(oldest)
    }
    return gone
  }
}
