/**
 * The user name and password of one index, for its origin alone. The secret stands in a closure, so
 * that nothing that prints a value prints it too; where it was found may be said to anybody.
 */

import { toPrintable } from '../base/bytes.ts'

export interface Credentials {
  /** The one that they are sent to: scheme, host and port. */
  readonly origin: string
  /** The setting as it is written: `netrc`, `env:ACME_INDEX`. */
  readonly setting: string
  renderAuthorization(): string
}

export interface UserAndPassword {
  readonly user: string
  readonly password: string
}

export function createCredentials(
  indexUrl: string,
  setting: string,
  { user, password }: UserAndPassword,
): Credentials {
  // RFC 7617 2.1: UTF-8, which is what servers expect where they expect more than ASCII.
  const encoded = Buffer.from(`${user}:${password}`, 'utf8').toString('base64')
  return {
    origin: new URL(indexUrl).origin,
    setting,
    renderAuthorization: () => `Basic ${encoded}`,
  }
}

/** Who asked, and with what: what somebody has to know who is told 401 or 403. */
export interface Access {
  readonly credentials: Credentials | undefined
  readonly isSent: boolean
}

/** `clause` goes on after "answered 403". */
export function describeDenial({ credentials, isSent }: Access): { clause: string; next: string } {
  if (credentials === undefined) {
    return {
      clause: '',
      next: 'The server wants a user name and password. For an index, give its [[index]] the setting credentials ("netrc", "env:NAME" or "file:FILE"); a mirror has to let everybody read.',
    }
  }
  const setting = toPrintable(credentials.setting, 200)
  if (isSent) {
    return {
      clause: ` to the credentials of "${setting}"`,
      next: `Look at what "${setting}" holds: the index does not know this user name and password (any more), or they may not read this.`,
    }
  }
  return {
    clause: '',
    next: `The credentials of "${setting}" are sent to ${credentials.origin} alone, not over a redirect and not to another host; look where the index keeps its files.`,
  }
}
