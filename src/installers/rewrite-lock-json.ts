/** The strings of a JSON file that are values, each with the keys that lead to it. */

export interface JsonString {
  /** Of what is between the quotes. */
  readonly start: number
  readonly end: number
  /** Keys of objects from the outermost; elements of lists have none. */
  readonly keys: readonly string[]
}

/** Lock files have five levels; each string is told with all the keys above it. */
const maxDepth = 50

const token = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\]:,]/g

/** Of a text that `JSON.parse` accepts, down to `maxDepth`. Linear in its length. */
export function* scanJsonStrings(text: string): Generator<JsonString> {
  const containers: { readonly isObject: boolean; readonly key: string | undefined }[] = []
  let key: string | undefined
  let isKey = false
  for (const match of text.matchAll(token)) {
    const [found] = match
    if (found === '{' || found === '[') {
      containers.push({ isObject: found === '{', key })
      isKey = found === '{'
      key = undefined
    } else if (found === '}' || found === ']') {
      containers.pop()
      key = undefined
    } else if (found === ',') {
      isKey = containers.at(-1)?.isObject === true
      key = undefined
    } else if (found === ':') isKey = false
    else if (isKey) key = found.slice(1, -1)
    else if (containers.length <= maxDepth) {
      const keys = [...containers.map((one) => one.key), key].filter((one) => one !== undefined)
      yield { start: match.index + 1, end: match.index + found.length - 1, keys }
    }
  }
}
