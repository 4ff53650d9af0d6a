/**
 * Before somebody adds his signature to what others have signed: theirs are signatures of what is there
 * now. One that is not shows that it was altered after they signed.
 */

import { ConfigError } from '../base/errors.ts'
import type { Envelope } from '../tuf/envelope.ts'
import { isSignedBy, type Signers } from '../tuf/threshold.ts'

/** Of those who have no key here nothing is known. Throws CONFIG_INVALID. */
export function requireGoodSignatures(
  what: string,
  { message, signatures }: Envelope,
  { keys }: Pick<Signers, 'keys'>,
): void {
  const bad = [...keys].flatMap(([keyid, key]) => {
    const signature = signatures.get(keyid)
    return signature === undefined || isSignedBy(key, message, signature) ? [] : [keyid]
  })
  if (bad.length === 0) return
  throw new ConfigError(
    'CONFIG_INVALID',
    `The ${bad.length === 1 ? 'signature' : 'signatures'} of ${bad.join(' and ')} ${bad.length === 1 ? 'does' : 'do'} not fit what ${what} says: it was changed after they signed`,
    { next: 'Do not sign. Ask them for the file again, by another way than the one this came.' },
  )
}
