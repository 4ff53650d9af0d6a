/**
 * A public key as metadata carries it (TUF 4.2.2), opened at most once and only when it is needed.
 *
 * The declared key id is authoritative (TAP 12): it is looked up only in the metadata that names
 * it, and what is counted is the key, not the id.
 */

import { member, readAt, readMember, readObject, readString } from '../base/decode.ts'
import { findVerifier, type Verifier } from './signatures.ts'

export class Key {
  readonly keyid: string
  readonly keytype: string
  readonly scheme: string
  /** As the metadata has it; empty where it has none. */
  readonly rawPublic: string
  #opened: { readonly verifier: Verifier | undefined } | undefined

  constructor(keyid: string, fields: { keytype: string; scheme: string; rawPublic: string }) {
    this.keyid = keyid
    this.keytype = fields.keytype
    this.scheme = fields.scheme
    this.rawPublic = fields.rawPublic
  }

  /** `undefined` where the algorithm is unknown or the key is damaged or weak: it counts for nothing. */
  get verifier(): Verifier | undefined {
    this.#opened ??= { verifier: findVerifier(this.keytype, this.scheme, this.rawPublic) }
    return this.#opened.verifier
  }

  /** Equal for equal keys, whatever their ids are and however they are written. */
  get value(): string {
    return this.verifier?.value ?? `unusable ${this.keytype} ${this.rawPublic}`
  }
}

/** Throws a DecodeError for what is no key at all; an unknown kind of key is a key. */
export function parseKey(value: unknown, keyid: string): Key {
  const object = readObject(value)
  const keytype = readMember(object, 'keytype', readString)
  const scheme = readMember(object, 'scheme', readString)
  const rawPublic = readAt('keyval', () => member(readObject(member(object, 'keyval')), 'public'))
  // Unknown kinds of keys may have another form of `keyval`: they are kept, and verify nothing.
  return new Key(keyid, {
    keytype,
    scheme,
    rawPublic: typeof rawPublic === 'string' ? rawPublic : '',
  })
}
