/**
 * What a file name says: its kind, its version, and whether it belongs to the project whose page lists it.
 *
 * Wheels: PEP 427 and 491; sdists: PEP 625 and the older form, where only the known project tells name
 * and version of `a-b-1.0.tar.gz` apart; the rest as distutils wrote it. It never throws.
 */

import { normalizeName } from './names.ts'
import { versionKey } from './version-key.ts'

/** `binary` is what bdist_dumb made; `package` is for a system's own installer; `other` is unknown. */
export type FileKind = 'wheel' | 'sdist' | 'egg' | 'binary' | 'installer' | 'package' | 'other'

export interface FileName {
  readonly kind: FileKind
  /** Whether it reads as a file of this project and of no other. */
  readonly belongs: boolean
  /** As written, not always PEP 440; absent where the name does not tell. */
  readonly version?: string
}

type Reader = (stem: string, project: string) => FileName

const readers: readonly (readonly [string, Reader])[] = [
  ['.whl', parseWheel],
  ['.tar.gz', parseSdist],
  ['.zip', parseSdist],
  ['.egg', parseEgg],
  ['.tar.bz2', parseSdist],
  ['.tgz', parseSdist],
  ['.tar.xz', parseSdist],
  ['.tar.z', parseSdist],
  ['.tar', parseSdist],
  ['.tbz', parseSdist],
  ['.txz', parseSdist],
  ['.exe', parseInstaller],
  ['.msi', parseInstaller],
  ['.dmg', parseInstaller],
  ['.rpm', parseRpm],
  ['.deb', parseDeb],
]

/** `project` is normalized. */
export function parseFilename(filename: string, project: string): FileName {
  const lower = filename.toLowerCase()
  for (const [extension, read] of readers) {
    if (lower.endsWith(extension)) return read(filename.slice(0, -extension.length), project)
  }
  return parseOther(filename, project)
}

function parseWheel(stem: string, project: string): FileName {
  const parts = stem.split('-')
  const [name = '', rawVersion = '', build = ''] = parts
  const foreign = { kind: 'wheel', belongs: false } as const
  if (parts.length < 5 || parts.length > 6 || normalizeName(name) !== project) return foreign
  if (parts.some((part) => part === '')) return foreign
  const version = unescapeVersion(rawVersion)
  // `a-b-1.0-py3-none-any.whl` under `a` would be version `b`, build `1.0`.
  if (parts.length === 6 && (versionKey(version) === undefined || !/^\d/.test(build)))
    return foreign
  return /^v?\d/i.test(version) ? { kind: 'wheel', belongs: true, version } : foreign
}

function parseEgg(stem: string, project: string): FileName {
  const [name = '', rawVersion] = stem.split('-')
  if (normalizeName(name) !== project) return { kind: 'egg', belongs: false }
  return readVersion('egg', rawVersion === undefined ? undefined : unescapeVersion(rawVersion))
}

/** In wheels and eggs `-` is written `_`. */
function unescapeVersion(raw: string): string {
  return versionKey(raw) === undefined ? raw.replaceAll('_', '-') : raw
}

const platformSuffix = /\.(?:linux|win32|win|macosx|cygwin|darwin|freebsd|solaris)[-.\w]*$/i

function parseSdist(stem: string, project: string): FileName {
  const rest = findRest(stem, project, '-')
  if (rest === undefined || versionKey(rest) !== undefined) return readVersion('sdist', rest)
  const version = rest.replace(platformSuffix, '')
  return readVersion(version === rest ? 'sdist' : 'binary', version)
}

function parseInstaller(stem: string, project: string): FileName {
  return readVersion('installer', findRest(stem, project, '-')?.replace(platformSuffix, ''))
}

/** `foo-1.0-1.noarch.rpm`. */
function parseRpm(stem: string, project: string): FileName {
  return readVersion('package', findRest(stem, project, '-')?.replace(/-[^-.]+\.[^-.]+$/, ''))
}

/** `foo_1.0-1_all.deb`. */
function parseDeb(stem: string, project: string): FileName {
  const rest = findRest(stem, project, '_')
  return readVersion('package', rest?.replace(/_[^_]+$/, '').replace(/-[^-]+$/, ''))
}

/** A type that is not known yet (PEP 817) or not any more: it is listed, its version is not guessed. */
function parseOther(filename: string, project: string): FileName {
  const rest = findRest(filename, project, '-')
  return { kind: 'other', belongs: rest !== undefined && /^\d/.test(rest) && !/-\d/.test(rest) }
}

/**
 * What follows the separator behind a spelling of the project; there is at most one such place.
 * One pass: a page has many names, and to try each hyphen anew would be quadratic in their length.
 */
function findRest(stem: string, project: string, separator: string): string | undefined {
  let at = 0
  for (let matched = 0; matched < project.length; matched += 1) {
    const expected = project.charAt(matched)
    if (expected !== '-') {
      if (stem.charAt(at).toLowerCase() !== expected) return undefined
      at += 1
      continue
    }
    const begin = at
    // PEP 503: a run of them is one hyphen.
    while (isSeparator(stem.charAt(at))) at += 1
    if (at === begin) return undefined
  }
  return at > 0 && stem.charAt(at) === separator ? stem.slice(at + 1) : undefined
}

function isSeparator(letter: string): boolean {
  return letter === '-' || letter === '_' || letter === '.'
}

function readVersion(kind: FileKind, version: string | undefined): FileName {
  if (version === undefined) return { kind, belongs: false }
  const belongs = versionKey(version) !== undefined || isLegacyVersion(version)
  return belongs ? { kind, belongs, version } : { kind, belongs }
}

/**
 * From before PEP 440, such as `2004b` or `1.0-r12`. `2-1.0` is none: behind `a-` it is more likely
 * version 1.0 of `a-2`, and no installer takes either for a version of `a`.
 */
function isLegacyVersion(version: string): boolean {
  return (
    /^v?\d/i.test(version) && versionKey(version.slice(version.lastIndexOf('-') + 1)) === undefined
  )
}
