/**
 * Which of the three page formats, and which encoding, a client gets (PEP 691, as PyPI does it).
 * Never an error: what cannot be read or satisfied gets HTML, uncompressed where gzip is not wanted.
 */

export type PageFormat = 'json-v1' | 'html-v1' | 'text-html'

const contentTypes: Readonly<Record<PageFormat, string>> = {
  'json-v1': 'application/vnd.pypi.simple.v1+json',
  'html-v1': 'application/vnd.pypi.simple.v1+html',
  // uv and poetry compare the type exactly, but all of them split off parameters of text/html.
  'text-html': 'text/html; charset=utf-8',
}

export function contentTypeOf(format: PageFormat): string {
  return contentTypes[format]
}

/** Enough for any client; the rest of a longer header is not read. */
const maxHeaderLength = 2048
const maxItems = 32

interface Weight {
  readonly quality: number
  /** 2: named; 1: by `type/*`; 0: by the widest wildcard or not at all. */
  readonly precision: number
}

const unwanted: Weight = { quality: 0, precision: 0 }

/** `Accept` -> format. */
export function negotiate(rawAccept: string | undefined): PageFormat {
  const qualities = parseQualities(rawAccept ?? '')
  const json = weigh(qualities, [
    'application/vnd.pypi.simple.v1+json',
    'application/vnd.pypi.simple.latest+json',
  ])
  const html = weigh(qualities, [
    'application/vnd.pypi.simple.v1+html',
    'application/vnd.pypi.simple.latest+html',
  ])
  const text = weigh(qualities, ['text/html'])
  const best = [json, html, text].reduce(heavier)
  if (best.quality === 0) return 'text-html'
  // A wildcard asks for nothing of ours: what every client can read is the answer.
  if (best.precision === 0 && text.quality === best.quality) return 'text-html'
  return best === text ? 'text-html' : preferVendor(json, html)
}

function preferVendor(json: Weight, html: Weight): PageFormat {
  return heavier(json, html) === json ? 'json-v1' : 'html-v1'
}

/** The left one where both weigh the same. */
function heavier(left: Weight, right: Weight): Weight {
  const difference = right.quality - left.quality || right.precision - left.precision
  return difference > 0 ? right : left
}

function weigh(qualities: ReadonlyMap<string, number>, types: readonly string[]): Weight {
  const named = types.flatMap((type) => qualities.get(type) ?? [])
  if (named.length > 0) return { quality: Math.max(...named), precision: 2 }
  const range = qualities.get(`${types[0]?.split('/')[0]}/*`)
  if (range !== undefined) return { quality: range, precision: 1 }
  const any = qualities.get('*/*')
  return any === undefined ? unwanted : { quality: any, precision: 0 }
}

/** `Accept-Encoding` -> encoding of a page (RFC 9110, 12.5.3). */
export function negotiateEncoding(rawAcceptEncoding: string | undefined): 'gzip' | 'identity' {
  const qualities = parseQualities(rawAcceptEncoding ?? '')
  const gzip = qualities.get('gzip') ?? qualities.get('x-gzip') ?? qualities.get('*') ?? 0
  const identity = qualities.get('identity') ?? 0
  return gzip > 0 && gzip >= identity ? 'gzip' : 'identity'
}

/** The highest quality by item in lower case; parameters other than `q` are not looked at. */
function parseQualities(raw: string): ReadonlyMap<string, number> {
  const qualities = new Map<string, number>()
  for (const item of raw.slice(0, maxHeaderLength).split(',', maxItems)) {
    const [rawName = '', ...parameters] = item.split(';')
    const name = rawName.trim().toLowerCase()
    const quality = parseQuality(parameters)
    if (name === '' || quality === undefined) continue
    qualities.set(name, Math.max(quality, qualities.get(name) ?? 0))
  }
  return qualities
}

/** `undefined` for a `q` that is no number from 0 to 1: the item is as if it were not there. */
function parseQuality(parameters: readonly string[]): number | undefined {
  const raw = parameters.map((text) => text.trim()).find((text) => /^q\s*=/i.test(text))
  if (raw === undefined) return 1
  const text = raw.slice(raw.indexOf('=') + 1).trim()
  return /^(?:0?\.\d{1,9}|0\.?|1(?:\.0{0,9})?)$/.test(text) ? Number(text) : undefined
}
