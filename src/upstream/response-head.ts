/** What we read of an answer's headers: untrusted text, parsed once; the rest is left alone. */

/** As undici hands them over: names in lower case. */
export type RawHeaders = Readonly<Record<string, string | readonly string[] | undefined>>

export interface ResponseHead {
  readonly status: number
  readonly etag?: string
  readonly lastModified?: string
  readonly contentType?: string
  /** In lower case; absent for none and for `identity`. */
  readonly contentEncoding?: string
  readonly contentLength?: number
  readonly location?: string
  readonly retryAfterMs?: number
  /** `X-PyPI-Last-Serial`. */
  readonly serial?: number
  /** `Date`, ms. */
  readonly date?: number
  /** Since when a cache on the way has had the answer. */
  readonly ageMs?: number
}

/** `now` (ms) is needed for a `Retry-After` that is a date. */
export function parseHead(status: number, raw: RawHeaders, now: number): ResponseHead {
  return dropAbsent({
    status,
    etag: parseText(raw['etag'], /^(?:W\/)?"[\x21\x23-\x7e]{0,250}"$/),
    lastModified: parseText(raw['last-modified'], /^[\x20-\x7e]{1,64}$/),
    contentType: parseText(raw['content-type'], /^[\x20-\x7e]{1,200}$/),
    contentEncoding: parseEncoding(raw['content-encoding']),
    contentLength: parseCount(raw['content-length']),
    location: parseText(raw['location'], /^[^\0\r\n]{1,8000}$/),
    retryAfterMs: parseRetryAfter(raw['retry-after'], now),
    serial: parseCount(raw['x-pypi-last-serial']),
    date: parseDate(raw['date']),
    ageMs: parseSeconds(raw['age']),
  })
}

type Maybe<T> = { [Key in keyof T]: T[Key] | undefined }

function dropAbsent(head: Maybe<Required<ResponseHead>> & { status: number }): ResponseHead {
  return Object.fromEntries(
    Object.entries(head).filter(([, value]) => value !== undefined),
  ) as unknown as ResponseHead
}

/** A header that stands twice is taken for absent: which of the two is meant nobody knows. */
function parseText(raw: RawHeaders[string], form: RegExp): string | undefined {
  return typeof raw === 'string' && form.test(raw) ? raw : undefined
}

function parseEncoding(raw: RawHeaders[string]): string | undefined {
  const text = (typeof raw === 'string' ? raw : (raw ?? []).join(',')).trim().toLowerCase()
  return text === '' || text === 'identity' ? undefined : text
}

function parseCount(raw: RawHeaders[string]): number | undefined {
  const text = parseText(raw, /^\d{1,16}$/)
  const count = Number(text)
  return text !== undefined && Number.isSafeInteger(count) ? count : undefined
}

function parseSeconds(raw: RawHeaders[string]): number | undefined {
  const seconds = parseCount(raw)
  return seconds === undefined ? undefined : seconds * 1000
}

// RFC 9110 10.2.3: seconds, or a date.
function parseRetryAfter(raw: RawHeaders[string], now: number): number | undefined {
  const delay = parseSeconds(raw)
  if (delay !== undefined) return delay
  const time = parseDate(raw)
  return time === undefined ? undefined : Math.max(0, time - now)
}

/** RFC 9110 5.6.7: all three forms begin with the day of the week; ours is the one with a comma. */
export function parseDate(raw: RawHeaders[string]): number | undefined {
  const time = Date.parse(parseText(raw, /^[A-Za-z]{3,9}, [\x20-\x7e]{10,60}$/) ?? '')
  return Number.isNaN(time) ? undefined : time
}
