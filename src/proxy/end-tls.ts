/**
 * TLS that a client began with another host, ended here with a certificate for that host: what comes out
 * are plain requests, which are answered like all others. Loaded when the first such connection comes.
 */

import type { Duplex } from 'node:stream'
import { type SecureContext, TLSSocket } from 'node:tls'
import { toPrintable } from '../base/bytes.ts'
import { describeError, RequestError } from '../base/errors.ts'
import type { StartTimer } from './timer.ts'

export interface EndTlsOptions {
  readonly host: string
  readonly context: SecureContext
  /** What the client sent already. */
  readonly head: Uint8Array
  /** For the handshake, ms. */
  readonly timeMs: number
  readonly startTimer: StartTimer
}

/** Resolves after the handshake. Throws RequestError; the socket is destroyed then. */
export async function endTls(socket: Duplex, options: EndTlsOptions): Promise<TLSSocket> {
  const { host, context, head, timeMs, startTimer } = options
  if (head.length > 0) socket.unshift(head)
  const inner = new TLSSocket(socket, {
    isServer: true,
    secureContext: context,
    // What is read inside is HTTP/1.1.
    ALPNProtocols: ['http/1.1'],
  })
  try {
    await shakeHands(inner, timeMs, startTimer)
    requireServerName(inner, host)
    return inner
  } catch (error) {
    inner.destroy()
    socket.destroy()
    throw describeHandshake(error, host)
  }
}

async function shakeHands(inner: TLSSocket, timeMs: number, startTimer: StartTimer): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const settle = (act: () => void): void => {
      stopTimer()
      inner.off('readable', leave)
      act()
    }
    const leave = (): void => settle(() => reject(new Error('the client left')))
    const stopTimer = startTimer(timeMs, () =>
      settle(() => reject(new Error('it did not end in time'))),
    )
    inner.once('secure', () => settle(resolve))
    inner.once('close', leave)
    // Before the end of the handshake there is nothing to read but the end of the connection.
    inner.once('readable', leave)
    inner.on('error', (error) => settle(() => reject(error)))
  })
}

/** RFC 6066 3: an address has none, and clients that are old enough send none either. */
function requireServerName(
  { servername }: TLSSocket & { servername?: unknown },
  host: string,
): void {
  if (typeof servername !== 'string' || servername === '' || servername.toLowerCase() === host)
    return
  throw new RequestError('HOST_NOT_ALLOWED', 'TLS names another host than CONNECT did', {
    expected: host,
    found: toPrintable(servername),
  })
}

/** Alerts by which clients say that they know no such authority (RFC 8446 6.2). */
const distrust: ReadonlySet<string> = new Set([
  'ERR_SSL_TLSV1_ALERT_UNKNOWN_CA',
  'ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN',
  'ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE',
])

function describeHandshake(error: unknown, host: string): Error {
  if (error instanceof RequestError) return error
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  if (distrust.has(code)) {
    return new RequestError(
      'FORWARD_REFUSED',
      `the client does not trust the local authority, which vouched for ${host}`,
      { cause: error, found: code, next: 'give the client its certificate: tufgate ca export' },
    )
  }
  const reason = toPrintable(describeError(error), 160)
  return new RequestError('BAD_REQUEST', `the TLS handshake for ${host} failed: ${reason}`, {
    cause: error,
    ...(code !== '' && { found: code }),
    next: 'see whether the client speaks TLS 1.2 or later, and trusts the local authority (tufgate ca export)',
  })
}
