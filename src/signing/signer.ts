/** What signs: a key that answers with a signature, wherever the private half is kept. */

import { constants, sign as signBytes, type KeyObject } from 'node:crypto'
import { encodeHex, type Bytes } from '../base/bytes.ts'
import { ConfigError } from '../base/errors.ts'
import { readKeyFile } from './key-file.ts'
import type { AskPassphrase } from './passphrase.ts'
import { buildKeyid, readPublicKey, type KeyScheme, type NamedKey } from './public-key.ts'

/** The salt is as long as the digest: what the other implementations write, and all accept. */
const pss = {
  padding: constants.RSA_PKCS1_PSS_PADDING,
  saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
}

export interface Signer extends NamedKey {
  /** The signature in lower-case hexadecimal, as TUF metadata carries it. */
  sign(bytes: Bytes): Promise<string>
}

/** Reads the key once; throws KEY_INVALID as `readKeyFile` does. */
export async function openFileSigner(path: string, ask?: AskPassphrase): Promise<Signer> {
  return buildSigner(await readKeyFile(path, ask), path)
}

/** A signer over a key in memory; `place` names it in messages. */
export function buildSigner(privateKey: KeyObject, place: string): Signer {
  const key = readPublicKey(privateKey, place)
  return {
    key,
    keyid: buildKeyid(key),
    sign: (bytes) => Promise.resolve(encodeHex(signatures[key.scheme](privateKey, bytes))),
  }
}

const signatures = {
  ed25519: (key, bytes) => signBytes(null, bytes, key),
  'ecdsa-sha2-nistp256': (key, bytes) => signBytes('sha256', bytes, key),
  'ecdsa-sha2-nistp384': (key, bytes) => signBytes('sha384', bytes, key),
  'rsassa-pss-sha256': (key, bytes) => signBytes('sha256', bytes, { key, ...pss }),
} satisfies Record<KeyScheme, (key: KeyObject, bytes: Bytes) => Bytes>

/** Throws KEY_INVALID where the signer's key is not one of those that the role is delegated to. */
export function requireKeyOf(role: string, keyids: readonly string[], signer: Signer): void {
  if (keyids.includes(signer.keyid)) return
  throw new ConfigError('KEY_INVALID', `The key on disk is not the key of the role ${role}`, {
    role,
    expected: keyids.join(', '),
    found: signer.keyid,
    next: 'Put the right key back; what this one signs would be refused by every client.',
  })
}
