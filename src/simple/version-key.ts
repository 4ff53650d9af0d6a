/**
 * When two spellings are the same version (PEP 440, normalization and trailing zeros).
 * It gives no order: nothing here needs one.
 */

/** Longer texts are no versions: an honest one has under 50 characters. */
const maxVersionLength = 128

const pattern = new RegExp(
  [
    String.raw`^v?(?:(?<epoch>\d+)!)?(?<release>\d+(?:\.\d+)*)`,
    String.raw`(?:[-_.]?(?<pre>alpha|a|beta|b|preview|pre|c|rc)[-_.]?(?<preNumber>\d+)?)?`,
    String.raw`(?:-(?<postBare>\d+)|[-_.]?(?<post>post|rev|r)[-_.]?(?<postNumber>\d+)?)?`,
    String.raw`(?:[-_.]?(?<dev>dev)[-_.]?(?<devNumber>\d+)?)?`,
    String.raw`(?:\+(?<local>[a-z0-9]+(?:[-_.][a-z0-9]+)*))?$`,
  ].join(''),
  'i',
)

const preNames: ReadonlyMap<string, string> = new Map([
  ['alpha', 'a'],
  ['beta', 'b'],
  ['c', 'rc'],
  ['pre', 'rc'],
  ['preview', 'rc'],
])

/** Equal texts for equal versions; `undefined` for what is no PEP 440 version. */
export function versionKey(raw: string): string | undefined {
  if (raw.length > maxVersionLength) return undefined
  const parts = pattern.exec(raw)?.groups as Partial<Record<string, string>> | undefined
  if (parts === undefined) return undefined
  const local = parts['local']
  return (
    `${trimZeros(parts['epoch'])}!${releaseKey(parts['release'] ?? '')}` +
    preKey(parts['pre'], parts['preNumber']) +
    postKey(parts) +
    (parts['dev'] === undefined ? '' : `.dev${trimZeros(parts['devNumber'])}`) +
    (local === undefined ? '' : `+${localKey(local)}`)
  )
}

/** The same for texts that are no versions too, of which only equal ones are equal. */
export function comparableVersion(raw: string): string {
  return versionKey(raw) ?? raw
}

/** The key without its local part: what `==1.2` compares with (PEP 440, version matching). */
export function publicKey(key: string): string {
  const at = key.indexOf('+')
  return at < 0 ? key : key.slice(0, at)
}

function preKey(raw: string | undefined, rawNumber: string | undefined): string {
  if (raw === undefined) return ''
  const name = raw.toLowerCase()
  return `${preNames.get(name) ?? name}${trimZeros(rawNumber)}`
}

function postKey(parts: Partial<Record<string, string>>): string {
  const { post, postBare, postNumber } = parts
  return post === undefined && postBare === undefined
    ? ''
    : `.post${trimZeros(postBare ?? postNumber)}`
}

/** Numbers stay text: a date and time with fractions is more than 2^53. */
function trimZeros(digits: string | undefined): string {
  return digits?.replace(/^0+(?=\d)/, '') ?? '0'
}

function releaseKey(release: string): string {
  const numbers = release.split('.').map(trimZeros)
  while (numbers.length > 1 && numbers.at(-1) === '0') numbers.pop()
  return numbers.join('.')
}

function localKey(local: string): string {
  const parts = local.toLowerCase().split(/[-_.]/)
  return parts.map((part) => (/^\d+$/.test(part) ? trimZeros(part) : part)).join('.')
}
