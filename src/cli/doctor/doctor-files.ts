/**
 * Files that the doctor looks into: somebody else's, so each is read with a limit and nothing that is no
 * plain file is opened for long. What cannot be read becomes a finding, never silence.
 */

import { readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describeUnchecked, describeUnreadable } from '../../doctor/judge-state.ts'
import type { Finding } from '../../doctor/finding.ts'
import { findLockInstaller } from '../../installers/lock-addresses.ts'
import { describeErrno, findErrno } from '../../store/storage-error.ts'
import { withFile } from '../with-file.ts'

const maxFileBytes = 32 * 1024 ** 2
/** Of all files together. */
const maxTotalBytes = 256 * 1024 ** 2
const maxFolders = 5000
const maxEntries = 100_000
const maxFiles = 500
const maxDepth = 6

/** Reads each file at most once, and remembers what it could not read. */
export class DoctorReader {
  readonly findings: Finding[] = []
  readonly #seen = new Set<string>()
  #totalBytes = 0

  /** `undefined` where it is not there, was read already, or cannot be read, which is a finding then. */
  read(path: string): string | undefined {
    if (this.#seen.has(path)) return undefined
    this.#seen.add(path)
    try {
      return this.#readText(path)
    } catch (error) {
      const errno = findErrno(error)
      if (errno === 'ENOENT' || errno === 'ENOTDIR') return undefined
      if (errno === undefined && !(error instanceof UnreadableFile)) throw error
      this.findings.push(
        error instanceof UnreadableFile
          ? describeUnchecked(path, error.message)
          : describeUnreadable(path, describeErrno(error)),
      )
      return undefined
    }
  }

  #readText(path: string): string {
    return withFile(path, 'follow', ({ stats, read }) => {
      // /dev/null is how a settings file is switched off.
      if (!stats.isFile()) {
        if (stats.isCharacterDevice() && path === '/dev/null') return ''
        throw new UnreadableFile('it is not a file')
      }
      if (stats.size > maxFileBytes) throw new UnreadableFile('it is larger than 32 MiB')
      if (this.#totalBytes + stats.size > maxTotalBytes) {
        throw new UnreadableFile('the files together are larger than 256 MiB')
      }
      this.#totalBytes += stats.size
      return decodeText(read(stats.size))
    })
  }
}

class UnreadableFile extends Error {}

/** pip reads UTF-16 too where a mark says so. What is wrong in UTF-8 is somebody's name in Latin-1. */
function decodeText(bytes: Buffer): string {
  const isUtf16 = bytes[0] === 0xff && bytes[1] === 0xfe
  const text = new TextDecoder(isUtf16 ? 'utf-16le' : 'utf-8').decode(bytes)
  if (text.includes('\0')) throw new UnreadableFile('it is not text')
  return text
}

export type ProjectFileKind =
  | 'pyproject'
  | 'uv'
  | 'poetry'
  | 'pdm'
  | 'pipfile'
  | 'setup-cfg'
  | 'requirements'
  | 'lock'

export interface ProjectFile {
  readonly path: string
  readonly name: string
  readonly kind: ProjectFileKind
}

const kindsByName: ReadonlyMap<string, ProjectFileKind> = new Map([
  ['pyproject.toml', 'pyproject'],
  ['uv.toml', 'uv'],
  ['poetry.toml', 'poetry'],
  ['pdm.toml', 'pdm'],
  ['.pdm.toml', 'pdm'],
  ['Pipfile', 'pipfile'],
  ['setup.cfg', 'setup-cfg'],
])

/** Folders of others, where a project's own settings never stand. */
const foreignFolders: ReadonlySet<string> = new Set([
  'node_modules',
  'site-packages',
  '__pycache__',
  '__pypackages__',
])

/** By these a folder is known as an environment, a cache, or what a tufgate keeps. */
const foreignMarks: ReadonlySet<string> = new Set([
  'pyvenv.cfg',
  'conda-meta',
  'CACHEDIR.TAG',
  'floors.db',
])

/**
 * Nearest first. Links to folders are not followed, nor are hidden folders, environments, caches and
 * the state of tufgate entered.
 */
export function listProjectFiles(
  root: string,
  stateHome: string,
  depthLimit = maxDepth,
): { files: ProjectFile[]; findings: Finding[] } {
  const files: ProjectFile[] = []
  const findings: Finding[] = []
  const deep: string[] = []
  const waiting = [{ folder: resolve(root), depth: 0 }]
  let entryCount = 0
  for (let at = 0; at < waiting.length; at += 1) {
    const { folder, depth } = waiting[at] ?? { folder: '', depth: 0 }
    const entries = listEntries(folder, findings)
    entryCount += entries.length
    if (at >= maxFolders || entryCount > maxEntries || files.length >= maxFiles) {
      findings.push(describeTooMany(root))
      break
    }
    if (depth > 0 && entries.some(({ name }) => foreignMarks.has(name))) continue
    for (const entry of entries.toSorted(byName)) {
      const path = join(folder, entry.name)
      const kind = entry.isDirectory() ? undefined : findKind(entry.name, folder)
      if (kind !== undefined) files.push({ path, name: entry.name, kind })
      if (!isOwnFolder(entry) || path === stateHome) continue
      if (depth < depthLimit) waiting.push({ folder: path, depth: depth + 1 })
      else deep.push(path)
    }
  }
  return { files: files.slice(0, maxFiles), findings: [...findings, ...describeDeep(root, deep)] }
}

type Entry = ReturnType<typeof readEntries>[number]

function isOwnFolder(entry: Entry): boolean {
  return entry.isDirectory() && !isForeign(entry.name)
}

function byName(left: Entry, right: Entry): number {
  return left.name < right.name ? -1 : 1
}

function describeTooMany(root: string): Finding {
  return describeUnchecked(root, 'there are too many files and folders in it to look at all', {
    mend: 'give tufgate doctor the folders of your projects, one at a time',
  })
}

/** Sources of other languages lie so deep, settings of installers hardly ever. */
function describeDeep(root: string, [first, ...others]: readonly string[]): Finding[] {
  if (first === undefined) return []
  const count = others.length + 1
  const what =
    count === 1
      ? `${first} was not searched`
      : `${count} folders were not searched, the first of them ${first}`
  return [
    {
      severity: 'note',
      code: 'not-searched',
      place: root,
      what,
      why: `Projects are looked for no more than ${maxDepth} folders deep. If there is one below: tufgate doctor FOLDER`,
    },
  ]
}

function isForeign(name: string): boolean {
  return name.startsWith('.') || foreignFolders.has(name)
}

function listEntries(folder: string, findings: Finding[]): ReturnType<typeof readEntries> {
  try {
    return readEntries(folder)
  } catch (error) {
    findings.push(describeUnreadable(folder, describeErrno(error)))
    return []
  }
}

function readEntries(folder: string): { name: string; isDirectory(): boolean }[] {
  return readdirSync(folder, { withFileTypes: true })
}

function findKind(name: string, folder: string): ProjectFileKind | undefined {
  if (findLockInstaller(name) !== undefined) return 'lock'
  const kind = kindsByName.get(name)
  if (kind !== undefined) return kind
  if (!/\.(?:txt|in)$/i.test(name)) return undefined
  const isNamed = /(?:^|[-_.])(?:requirements?|constraints?|reqs?)(?:[-_.]|\.(?:txt|in)$)/i.test(
    name,
  )
  return isNamed || /(?:^|\/)requirements$/i.test(folder) ? 'requirements' : undefined
}
