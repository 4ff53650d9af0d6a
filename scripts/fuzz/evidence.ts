/**
 * What is odd about a published repository, read from its files alone and without any code of tufgate's
 * verifier: a difference is explained only where its reason is really there.
 */

import type { PublishedRepository } from './targets/odd-repository.ts'

export interface Document {
  readonly role: string
  readonly text: string
  /** `undefined` where it is no JSON. */
  readonly signed: unknown
}

interface Holder {
  readonly [name: string]: unknown
}

export function listDocuments({ first, answers }: PublishedRepository): Document[] {
  return [['root.json', first] as const, ...answers].map(([name, bytes]) => {
    const role = decodeURIComponent(name.replace(/^\d+\./, '').replace(/\.json$/, ''))
    const text = Buffer.from(bytes).toString()
    return { role, text, signed: parseSigned(text) }
  })
}

function parseSigned(text: string): unknown {
  try {
    return (JSON.parse(text.replace(/^\u{feff}/u, '')) as { readonly signed?: unknown }).signed
  } catch {
    return undefined
  }
}

/** Each object of a document, with the name under which it stands. */
export function listObjects(node: unknown, name = ''): (readonly [string, Holder])[] {
  if (typeof node !== 'object' || node === null) return []
  const inner = Object.entries(node).flatMap(([member, child]) => listObjects(child, member))
  return Array.isArray(node) ? inner : [[name, node as Holder], ...inner]
}

export function listNamed(document: Document, wanted: string): Holder[] {
  return listObjects(document.signed).flatMap(([name, object]) => (name === wanted ? [object] : []))
}

/** Whether a list stands where an object is due. */
export function hasListNamed(document: Document, wanted: string): boolean {
  return listObjects(document.signed).some(([, object]) => Array.isArray(object[wanted]))
}

export function listRoles(document: Document): Holder[] {
  return listNamed(document, 'delegations').flatMap(({ roles }) =>
    Array.isArray(roles) ? (roles as readonly Holder[]) : [],
  )
}

export function listPatterns(document: Document): string[] {
  return listRoles(document).flatMap(({ paths }) =>
    Array.isArray(paths) ? paths.filter((path) => typeof path === 'string') : [],
  )
}

/** Keys of whoever signs `role`: root for the four roles at the top, its delegators for another. */
export function listKeysOf(documents: readonly Document[], role: string): Holder[] {
  return documents.flatMap((document) => {
    const [tables] = listNamed(document, 'keys')
    const entries = [
      ...listRoles(document).filter(({ name }) => name === role),
      ...listNamed(document, 'succinct_roles').filter(({ name_prefix: prefix }) =>
        role.startsWith(`${String(prefix)}-`),
      ),
      ...listNamed(document, role).filter(({ threshold }) => threshold !== undefined),
    ]
    const keyids = entries.flatMap((entry) =>
      Array.isArray(entry['keyids']) ? (entry['keyids'] as readonly unknown[]) : [],
    )
    return keyids.flatMap((keyid) => {
      const key = tables?.[String(keyid)]
      return isHolder(key) ? [key] : []
    })
  })
}

/** All of them, whoever signs with them. */
export function listKeys(document: Document): Holder[] {
  return listNamed(document, 'keys').flatMap((table) =>
    Object.values(table).map((key) => (isHolder(key) ? key : {})),
  )
}

function isHolder(value: unknown): value is Holder {
  return typeof value === 'object' && value !== null
}

export function publicOf({ keyval }: Holder): unknown {
  return typeof keyval === 'object' && keyval !== null && 'public' in keyval
    ? keyval.public
    : undefined
}

export function hasOddKeyval({ keyval }: Holder): boolean {
  return !isHolder(keyval) || Object.values(keyval).some((value) => typeof value !== 'string')
}

/** A member that the parsed value does not have any more. */
export function hasMemberTwice({ text }: Document): boolean {
  const outside = text.replaceAll(/"(?:[^"\\]|\\.)*"/gs, '')
  const members = outside.split(':').length - 1
  return members > countMembers(JSON.parse(text))
}

function countMembers(node: unknown): number {
  return listObjects(node).reduce((sum, [, object]) => sum + Object.keys(object).length, 0)
}

/** As its text has it: TUF 4.3 knows whole numbers alone. */
export function hasOddNumber({ text }: Document): boolean {
  const outside = text.replaceAll(/"(?:[^"\\]|\\.)*"/gs, '')
  const numbers = outside.match(/-?\d[\d.eE+-]*/g) ?? []
  return numbers.some((raw) => !/^[1-9]\d*$/.test(raw) || !Number.isSafeInteger(Number(raw)))
}

/** TUF 4.2.3, and a day that there is. */
export function hasOddTime({ signed }: Document): boolean {
  const expires = isHolder(signed) ? signed['expires'] : undefined
  const time = Date.parse(String(expires))
  return Number.isNaN(time) || `${new Date(time).toISOString().slice(0, 19)}Z` !== expires
}

/**
 * TUF 4.5, once more and by other means: `*`, `?` and classes within a segment. `undefined` for a class
 * that is not closed.
 */
export function isMatch(pattern: string, path: string): boolean | undefined {
  const source = pattern.replaceAll(
    /\[(!?)([^\]]+)\]|[\s\S]/g,
    (piece, not: string | undefined, letters: string | undefined) => {
      if (letters !== undefined)
        return `[${not === '' ? '' : '^/'}${letters.replaceAll(/[\\^[]/g, String.raw`\$&`)}]`
      if (piece === '*') return '[^/]*'
      return piece === '?' ? '[^/]' : piece.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, String.raw`\$&`)
    },
  )
  try {
    return new RegExp(`^${source}$`, 's').test(path)
  } catch {
    return undefined
  }
}
