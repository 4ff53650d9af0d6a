/** Flags of the commands that ask an index for much. */

import { toPrintable } from '../../base/bytes.ts'
import { ConfigError } from '../../base/errors.ts'
import { credentialsSource } from '../settings.ts'

/** More would be impolite to any index, and no faster. */
const maxParallel = 64

/** Throws CONFIG_INVALID. */
export function requireParallel(raw: string): number {
  const count = Number(raw)
  if (/^\d{1,3}$/.test(raw) && count >= 1 && count <= maxParallel) return count
  throw new ConfigError('CONFIG_INVALID', `--parallel ${toPrintable(raw)} is not possible.`, {
    expected: `a whole number from 1 to ${maxParallel}`,
  })
}

/** Not quoted where it is wrong: somebody may have put the password itself there. */
export function requireCredentialsSetting(raw: string): string {
  if (credentialsSource.safeParse(raw).success) return raw
  throw new ConfigError('CONFIG_INVALID', '--credentials does not say where the credentials are.', {
    expected: 'netrc, netrc:FILE, env:NAME or file:FILE',
    next: 'Put USER:PASSWORD into a variable or a file of mode 0600 and name that; what stands on a command line can be seen by all users of this machine.',
  })
}

/** RFC 9110 5.6.5: it stands in a comment of the User-Agent. Throws CONFIG_INVALID. */
export function requireContact(raw: string): string {
  if (/^[\x21-\x27\x2a-\x5b\x5d-\x7e]{1,200}$/.test(raw)) return raw
  throw new ConfigError('CONFIG_INVALID', `--contact ${toPrintable(raw)} cannot be sent.`, {
    expected: 'a mail address or a URL, without spaces and parentheses',
  })
}
