/**
 * Where an installer puts each entry of a wheel (PEP 427, PEP 491). A wheel with a name that leads out of
 * the folder, or that two programs could read in two ways, is refused whole.
 */

import { decodeUtf8 } from '../base/bytes.ts'
import { DecodeError } from '../base/decode.ts'
import type { Scheme } from './layout.ts'

export interface Place {
  readonly scheme: Scheme
  readonly path: string
}

const schemes: ReadonlyMap<string, Scheme> = new Map([
  ['purelib', 'site'],
  ['platlib', 'site'],
  ['scripts', 'scripts'],
  ['headers', 'headers'],
  ['data', 'data'],
])

const isUtf8 = 0x0800

/** The name of a zip entry as text, from its bytes. Throws DecodeError. */
export function readEntryName(latin1: string, flags: number): string {
  if (/^[\x20-\x7e]*$/.test(latin1)) return latin1
  if ((flags & isUtf8) === 0) throw new DecodeError('a name in an unknown character set')
  try {
    return decodeUtf8(Buffer.from(latin1, 'latin1'))
  } catch {
    throw new DecodeError('a name that is not UTF-8')
  }
}

/** `undefined` for a folder. Throws DecodeError. */
export function placeEntry(name: string): Place | undefined {
  if (name.endsWith('/')) return undefined
  requireInside(name)
  const [top = '', key = '', ...rest] = name.split('/')
  if (!top.endsWith('.data')) return { scheme: 'site', path: name }
  const scheme = schemes.get(key)
  if (scheme === undefined || rest.length === 0)
    throw new DecodeError(`${JSON.stringify(name.slice(0, 100))} is of no known scheme`)
  return { scheme, path: rest.join('/') }
}

function isInside(path: string): boolean {
  // Control characters and backslashes: what one program takes for a name is a path to another.
  if (path.length > 4096 || /[\\\p{Cc}]/u.test(path)) return false
  return path.split('/').every((segment) => segment !== '' && segment !== '.' && segment !== '..')
}

function requireInside(path: string): void {
  if (!isInside(path))
    throw new DecodeError(`${JSON.stringify(path.slice(0, 100))} is no path within a folder`)
}
