/**
 * What a file or a variable tells an installer about where packages come from: one value for all of
 * them, so that what is judged about it is judged once. Nothing is judged here.
 */

import { toPrintable } from '../base/bytes.ts'

export type Installer = 'pip' | 'uv' | 'poetry' | 'pdm' | 'pipenv'

export type ReferenceKind =
  /** Asked in place of PyPI. */
  | 'index'
  /** Asked besides another one. */
  | 'extra-index'
  /** PyPI itself: nothing says otherwise. */
  | 'pypi'
  /** The same, for releases of the installer that are older than the file assumes. */
  | 'old-default'
  /** A page or folder whose files may be installed. */
  | 'find-links'
  | 'no-index'
  /** An HTTP proxy for the installer's requests. */
  | 'proxy'
  | 'trusted-host'
  /** One package, from an address of its own. */
  | 'url'
  /** One package, from version control. */
  | 'repository'
  /** One package, or a list of them, on this machine. */
  | 'path'
  /** An address that a lock file has written down. */
  | 'locked'
  /** Where packages are sent to. */
  | 'publish'

export interface Reference {
  readonly kind: ReferenceKind
  readonly installer: Installer
  /** From 1; 0 where it stands in no line. */
  readonly line: number
  /** As somebody finds it: `extra-index-url in [global]`. */
  readonly name: string
  /** Raw; may hold a password. */
  readonly value: string
  /** Holds wherever nothing nearer is said: pip's own settings, not the options of one requirements file. */
  readonly isDefault?: true
}

/** Another file that belongs to this one: `-r base.txt`. */
export interface Include {
  readonly line: number
  readonly path: string
}

export interface ReadSettings {
  readonly references: readonly Reference[]
  readonly includes: readonly Include[]
}

export interface Place {
  readonly installer: Installer
  readonly line: number
  readonly name: string
}

/** What a requirement names besides a version. `undefined` for a plain path in it that is none. */
export function referTo(rawTarget: string, place: Place): Reference {
  const value = rawTarget.trim()
  return { kind: classifyTarget(value), value, ...place }
}

function classifyTarget(target: string): 'url' | 'repository' | 'path' {
  if (/^(?:git|hg|bzr|svn)\+|^(?:git|ssh|svn):\/\/|^[\w.-]+@[\w.-]+:/i.test(target)) {
    return 'repository'
  }
  return isRemote(target) ? 'url' : 'path'
}

/** Neither on this machine nor a name. */
export function isRemote(target: string): boolean {
  return /^(?!file:)[a-z][a-z0-9+.-]*:\/\//i.test(target)
}

/** For messages: no user name, password, query or fragment, on one line. */
export function showAddress(raw: string): string {
  const url = /^https?:/i.test(raw) ? URL.parse(raw) : null
  if (url !== null) return toPrintable(`${url.protocol}//${url.host}${url.pathname}`, 200)
  const [plain = ''] = raw.split(/[?#]/, 1)
  // What does not parse may have a slash in its password; a repository has its revision behind an `@`.
  const secret = /^https?:/i.test(raw)
    ? /^([a-z]+:\/\/)\S*@/i
    : /^([a-z][a-z0-9+.-]*:\/\/)[^/\s]*@/i
  return toPrintable(plain.replace(secret, '$1'), 200)
}
