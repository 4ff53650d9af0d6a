/** What undici and the socket report, turned into our codes: by error code, never by text. */

import {
  describeError,
  isTufgateError,
  UpstreamError,
  type Facts,
  type UpstreamCode,
} from '../base/errors.ts'
import { toPrintable } from '../base/bytes.ts'
import { AddressRefusedError } from './address-guard.ts'
import { describeDenial, type Access } from './credentials.ts'
import { refuseAddress, showUrl } from './host-rules.ts'

export interface FailurePlace {
  readonly url: URL
  /** Whether the request had reached a connection: before that, nobody answered. */
  readonly isStarted: boolean
  /** Of the answer, where one had begun. */
  readonly answer?: { readonly receivedBytes: number; readonly announcedBytes: number | undefined }
}

interface FailureKind {
  readonly code: UpstreamCode
  readonly happened: string
  readonly next: string
}

const unreachable: FailureKind = {
  code: 'UNREACHABLE',
  happened: 'could not connect',
  next: 'Look at the network, the name of the host and the proxy variables; then try again.',
}

const unresolved: FailureKind = {
  ...unreachable,
  happened: 'the host name does not resolve',
  next: 'Check the name of the host, and that this machine can resolve it (nslookup NAME); then try again.',
}

const brokenOff: FailureKind = {
  code: 'BROKEN_OFF',
  happened: 'the answer broke off',
  next: 'Try again; if it goes on, the server or something on the way is broken.',
}

const timedOut: FailureKind = {
  code: 'TIMED_OUT',
  happened: 'no bytes came for too long',
  next: 'Try again later; if it goes on, look at the connection to this host.',
}

const byCode: ReadonlyMap<string, FailureKind> = new Map([
  ['UND_ERR_CONNECT_TIMEOUT', { ...unreachable, happened: 'no connection came about in time' }],
  ['UND_ERR_HEADERS_TIMEOUT', { ...timedOut, happened: 'no answer came in time' }],
  ['UND_ERR_BODY_TIMEOUT', timedOut],
  [
    'UND_ERR_HEADERS_OVERFLOW',
    // Not TOO_LARGE: of the file itself that says nothing.
    { ...brokenOff, code: 'BAD_STATUS', happened: 'the headers are too long' },
  ],
  ['ENOTFOUND', unresolved],
  ['EAI_AGAIN', { ...unresolved, happened: 'the host name does not resolve just now' }],
])

/** An error that has a code of ours is kept as it is. */
export function describeFailure(error: unknown, place: FailurePlace): Error {
  const refusal = findAddressRefusal(error)
  if (refusal !== undefined) return refuseAddress(place.url, refusal)
  if (isTufgateError(error)) return error
  const kind = byCode.get(readCode(error)) ?? (place.isStarted ? brokenOff : unreachable)
  const url = showUrl(place.url)
  const reason = toPrintable(describeError(error), 160)
  return new UpstreamError(kind.code, `${url}: ${kind.happened} (${reason})`, {
    ...describeAnswer(place),
    url,
    next: kind.next,
    cause: error,
  })
}

function describeAnswer({ answer }: FailurePlace): Pick<Facts, 'expected' | 'found'> {
  if (answer === undefined) return { found: 'no answer' }
  const { receivedBytes, announcedBytes } = answer
  const expected =
    announcedBytes === undefined ? 'an answer with an end' : `${announcedBytes} bytes`
  return { expected, found: `${receivedBytes} bytes` }
}

/** The connector may wrap what its `lookup` reported. */
function findAddressRefusal(error: unknown): AddressRefusedError | undefined {
  let current = error
  for (let depth = 0; depth < 4 && current instanceof Error; depth += 1) {
    if (current instanceof AddressRefusedError) return current
    current = current.cause
  }
  return undefined
}

function readCode(error: unknown): string {
  const code: unknown = error instanceof Error && 'code' in error ? error.code : undefined
  return typeof code === 'string' ? code : ''
}

/** BAD_STATUS or ACCESS_DENIED, with the number that decides whether another try makes sense. */
export class BadStatusError extends UpstreamError {
  readonly status: number
  readonly retryAfterMs: number | undefined

  constructor(url: URL, status: number, retryAfterMs?: number, access = withoutCredentials) {
    const denial = isDenial(status, access) ? describeDenial(access) : undefined
    super(
      denial === undefined ? 'BAD_STATUS' : 'ACCESS_DENIED',
      `${showUrl(url)} answered ${status}${denial?.clause ?? ''}`,
      {
        expected: '200',
        found: String(status),
        url: showUrl(url),
        next: denial?.next ?? nextAfterStatus(status),
      },
    )
    this.status = status
    this.retryAfterMs = retryAfterMs
  }
}

const withoutCredentials: Access = { credentials: undefined, isSent: false }

/** 403 alone is also what some servers say of what is not there, or to whoever asks too much. */
function isDenial(status: number, { credentials }: Access): boolean {
  return status === 401 || (status === 403 && credentials !== undefined)
}

function nextAfterStatus(status: number): string {
  if (status === 403) {
    return 'The server denies access. If it is a private index, give it credentials in the settings; otherwise look at the address.'
  }
  if (status === 407) {
    return 'The HTTP proxy wants a user name and password: put them into HTTP_PROXY and HTTPS_PROXY.'
  }
  if (status === 404 || status === 410) return 'It is not there (any more); look at the address.'
  if (status === 429) return 'The server limits requests; try again later.'
  return status >= 500
    ? 'The server has a fault; try again later.'
    : 'Look at the address in the settings.'
}

/** What zlib reports for a body that claims to be gzip. */
export function describeBadGzip(error: unknown, url: URL, maxBytes: number): UpstreamError {
  if (readCode(error) === 'ERR_BUFFER_TOO_LARGE') {
    return new UpstreamError(
      'TOO_LARGE',
      `${showUrl(url)} unpacks to more than ${maxBytes} bytes`,
      {
        expected: `at most ${maxBytes} bytes`,
        found: `more than ${maxBytes} bytes`,
        url: showUrl(url),
        next: 'Look at what the server sends there; the limits are in the settings.',
        cause: error,
      },
    )
  }
  return new UpstreamError('BROKEN_OFF', `${showUrl(url)}: the answer is not whole gzip`, {
    url: showUrl(url),
    next: brokenOff.next,
    cause: error,
  })
}
