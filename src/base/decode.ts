/**
 * Readers that turn a parsed JSON value into a type, or say which member is wrong and why.
 *
 * The place is put together only on the way out of a failure: reading 16,384 good entries costs
 * nothing for it.
 */

export class DecodeError extends Error {
  readonly problem: string
  readonly place: readonly string[]

  constructor(problem: string, place: readonly string[] = []) {
    super(place.length === 0 ? problem : `${place.join('.')}: ${problem}`)
    this.name = 'DecodeError'
    this.problem = problem
    this.place = place
  }
}

/** What the readers and JSON.parse throw on bad input; anything else is a bug. */
export function isMalformed(error: unknown): boolean {
  return (
    error instanceof DecodeError ||
    error instanceof SyntaxError ||
    error instanceof TypeError ||
    error instanceof RangeError
  )
}

/** Runs a reader and puts `place` in front of the place of its failure. */
export function readAt<T>(place: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    throw withPlace(place, error)
  }
}

function withPlace(place: string, error: unknown): unknown {
  return error instanceof DecodeError
    ? new DecodeError(error.problem, [place, ...error.place])
    : error
}

export type JsonObject = Readonly<Record<string, unknown>>

export function readObject(value: unknown): JsonObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new DecodeError(`expected an object, found ${describe(value)}`)
  }
  return value as JsonObject
}

/** An own member only: `constructor` and `__proto__` are names like any other. */
export function member(object: JsonObject, name: string): unknown {
  return Object.hasOwn(object, name) ? object[name] : undefined
}

export function readMember<T>(object: JsonObject, name: string, read: (value: unknown) => T): T {
  return readAt(name, () => read(member(object, name)))
}

export function readOptional<T>(
  object: JsonObject,
  name: string,
  read: (value: unknown) => T,
): T | undefined {
  return Object.hasOwn(object, name) ? readMember(object, name, read) : undefined
}

export function readArray<T>(value: unknown, readItem: (item: unknown) => T): T[] {
  if (!Array.isArray(value)) throw new DecodeError(`expected a list, found ${describe(value)}`)
  return value.map((item: unknown, at) => readAt(`[${at}]`, () => readItem(item)))
}

/** An object whose member names come from the network: a `Map`, never a plain object. */
export function readMap<T>(
  value: unknown,
  readItem: (item: unknown, name: string) => T,
): Map<string, T> {
  const object = readObject(value)
  const map = new Map<string, T>()
  let current = ''
  try {
    for (const name of Object.keys(object)) {
      current = name
      map.set(name, readItem(object[name], name))
    }
  } catch (error) {
    throw withPlace(current, error)
  }
  return map
}

export function readString(value: unknown): string {
  if (typeof value !== 'string') throw new DecodeError(`expected text, found ${describe(value)}`)
  return value
}

export function readBoolean(value: unknown): boolean {
  if (typeof value !== 'boolean')
    throw new DecodeError(`expected true or false, found ${describe(value)}`)
  return value
}

/** A safe integer that is at least `minimum`. */
export function readInteger(value: unknown, minimum: number): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < minimum) {
    throw new DecodeError(`expected an integer of at least ${minimum}, found ${describe(value)}`)
  }
  // JSON has a -0, which canonical JSON has not.
  return value === 0 ? 0 : value
}

function describe(value: unknown): string {
  if (value === undefined) return 'nothing'
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object') return 'an object'
  return JSON.stringify(value).slice(0, 80)
}
