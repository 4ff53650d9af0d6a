/** Which kind of key a flag asks for. */

import { toPrintable } from '../base/bytes.ts'
import { ConfigError } from '../base/errors.ts'
import type { KeyKind } from '../signing/key-file.ts'

export const keyKinds: readonly KeyKind[] = ['ed25519', 'ecdsa-p256', 'ecdsa-p384', 'rsa-pss']

/** Throws CONFIG_INVALID. */
export function requireKeyKind(raw: string): KeyKind {
  const kind = keyKinds.find((known) => known === raw)
  if (kind !== undefined) return kind
  throw new ConfigError('CONFIG_INVALID', `"${toPrintable(raw)}" is not a kind of key.`, {
    expected: keyKinds.join(', '),
  })
}
