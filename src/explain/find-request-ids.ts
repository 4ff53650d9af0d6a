/** Request ids in whatever a person pastes: the id alone, a line of an installer, an address. */

/** As `createRequestIds` of the proxy makes them. */
const form = 'r-[a-z2-7]{8}'
const whole = new RegExp(`^${form}$`)
/** Where tufgate puts them itself, so that a file named `r-packaged.whl` is not taken for one. */
const certain = new RegExp(String.raw`[[(](${form})[\])]|/refused/(${form})(?![\w-])`, 'g')
const likely = new RegExp(String.raw`(?<![\w./-])${form}(?![\w-])`, 'g')

const maxCharacters = 100_000

export function isRequestId(text: string): boolean {
  return whole.test(text)
}

/** In the order in which they stand there, each once. */
export function findRequestIds(raw: string): string[] {
  const text = raw.slice(0, maxCharacters)
  const sure = Array.from(text.matchAll(certain), ([, first, second = '']) => first ?? second)
  const found = sure.length > 0 ? sure : Array.from(text.matchAll(likely), ([id]) => id)
  return [...new Set(found)]
}
