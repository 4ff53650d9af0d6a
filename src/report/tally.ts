/** Things that are counted by name: so many of them by name, whatever comes beyond by number alone. */

export interface Listing<T> {
  readonly items: readonly T[]
  /** Lines of the log that are about none of the items. */
  readonly more: number
}

export class Tally<T> {
  readonly #maxItems: number
  readonly #items = new Map<string, T>()
  #more = 0

  constructor(maxItems: number) {
    this.#maxItems = maxItems
  }

  /** The item of this key, to be counted in; `undefined` where there is no room for another one. */
  find(key: readonly unknown[], create: () => T): T | undefined {
    const name = JSON.stringify(key)
    const known = this.#items.get(name)
    if (known !== undefined) return known
    if (this.#items.size >= this.#maxItems) {
      this.#more += 1
      return undefined
    }
    const item = create()
    this.#items.set(name, item)
    return item
  }

  /** In the order of their first line. */
  list(): Listing<T> {
    return { items: [...this.#items.values()], more: this.#more }
  }
}
