/**
 * The projects of one round, for several workers. What is put back comes again at the end, also
 * after a worker has found the queue empty.
 */

export class LookQueue implements Iterable<string> {
  readonly #names: Iterator<string>
  readonly #postponed: string[] = []
  /** Of those, so many have come again. */
  #again = 0

  constructor(names: Iterable<string>) {
    this.#names = names[Symbol.iterator]()
  }

  putBack(name: string): void {
    this.#postponed.push(name)
  }

  [Symbol.iterator](): Iterator<string> {
    return { next: () => this.#next() }
  }

  #next(): IteratorResult<string> {
    const next = this.#names.next()
    if (next.done !== true) return { done: false, value: next.value }
    const again = this.#postponed[this.#again]
    if (again === undefined) return { done: true, value: undefined }
    this.#again += 1
    return { done: false, value: again }
  }
}
