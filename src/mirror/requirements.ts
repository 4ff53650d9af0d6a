/**
 * Which projects requirements files name. Names alone: which versions will be wanted is for the
 * installer, and everything the index has of a project is signed.
 */

import { ConfigError } from '../base/errors.ts'
import { isProjectName, normalizeName } from '../simple/names.ts'
import { describeErrno, findErrno } from '../store/storage-error.ts'

/** A line that names no project of the index: a URL, a folder, an editable. */
export interface UncoveredRequirement {
  readonly place: string
  readonly line: string
}

export interface Requirements {
  readonly projects: ReadonlySet<string>
  readonly uncovered: readonly UncoveredRequirement[]
}

/** What is read: the file's text, and where a nested file named in it is. */
export interface RequirementsPort {
  read(path: string): Promise<string>
  /** The path of `nested` as the file `from` means it. */
  resolve(from: string, nested: string): string
}

const maxFiles = 100
const maxUncovered = 1000

/** Reads the files and those that they include (`-r`, `-c`), each once and at most 100 in all. */
export async function readRequirements(
  paths: readonly string[],
  port: RequirementsPort,
): Promise<Requirements> {
  const projects = new Set<string>()
  const uncovered: UncoveredRequirement[] = []
  /** With the place that names it. */
  const seen = new Map<string, string | undefined>(paths.map((path) => [path, undefined]))
  // A Map is walked in the order of insertion, and what is added on the way is walked too.
  for (const [path, namedIn] of seen) {
    for (const { text, number } of joinLines(await readFile(port, path, namedIn))) {
      const item = parseLine(text)
      if (item.kind === 'project') projects.add(item.name)
      else if (item.kind === 'include' && seen.size < maxFiles)
        putNew(seen, port.resolve(path, item.path), `${path}, line ${number}`)
      else if (item.kind !== 'nothing' && uncovered.length < maxUncovered) {
        uncovered.push({ place: `${path}:${number}`, line: text })
      }
    }
  }
  return { projects, uncovered }
}

function putNew(seen: Map<string, string | undefined>, path: string, namedIn: string): void {
  if (!seen.has(path)) seen.set(path, namedIn)
}

/** Throws CONFIG_INVALID for what the operating system does not let us read. */
async function readFile(
  port: RequirementsPort,
  path: string,
  namedIn: string | undefined,
): Promise<string> {
  try {
    return await port.read(path)
  } catch (error) {
    const errno = findErrno(error)
    if (errno === undefined) throw error
    const place = namedIn === undefined ? '' : ` (named in ${namedIn})`
    throw new ConfigError(
      'CONFIG_INVALID',
      `${path} cannot be read${place}: ${describeErrno(error)}`,
      { cause: error },
    )
  }
}

type Item =
  | { readonly kind: 'project'; readonly name: string }
  | { readonly kind: 'include'; readonly path: string }
  | { readonly kind: 'nothing' }
  | { readonly kind: 'uncovered' }

/** One logical line, without its comment. */
export function parseLine(text: string): Item {
  if (text === '') return { kind: 'nothing' }
  if (text.startsWith('-')) return parseOption(text)
  const match = /^([A-Za-z0-9][A-Za-z0-9._-]*)\s*(.*)$/s.exec(text)
  const [, name = '', rest = ''] = match ?? []
  // pip takes a name that ends like a file for a file.
  const isFile = /\.(?:whl|zip|tar\.\w+|tgz)$/i.test(name)
  if (isFile || !isProjectName(name) || !isSpecifier(rest)) return { kind: 'uncovered' }
  return { kind: 'project', name: normalizeName(name) }
}

/** PEP 508 after the name: extras, a version, a marker; `@` is a direct URL, which no index serves. */
function isSpecifier(rest: string): boolean {
  const afterExtras = rest.replace(/^\[[^\]]*\]\s*/, '')
  return afterExtras === '' || /^(?:[<>=!~;(,]|--?[A-Za-z])/.test(afterExtras)
}

function parseOption(text: string): Item {
  const [, path] =
    /^(?:-r|-c|--requirement|--constraint)(?:\s*=\s*|\s+|(?<=-[rc]))(\S.*)$/.exec(text) ?? []
  if (path !== undefined) return isUrl(path) ? { kind: 'uncovered' } : { kind: 'include', path }
  return /^(?:-e|--editable)\b/.test(text) ? { kind: 'uncovered' } : { kind: 'nothing' }
}

function isUrl(text: string): boolean {
  return /^[A-Za-z][A-Za-z0-9+.-]*:\/\//.test(text)
}

/** Logical lines as pip reads them: a backslash at the end goes on, ` #` begins a comment. */
function joinLines(content: string): { text: string; number: number }[] {
  const lines: { text: string; number: number }[] = []
  let open = ''
  for (const [at, raw] of content
    .replace(/^\uFEFF/, '')
    .split(/\r\n|\r|\n/)
    .entries()) {
    // pip: a comment line ends a continuation.
    const isComment = /^\s*#/.test(raw)
    if (raw.endsWith('\\') && !isComment) {
      open += raw.slice(0, -1)
      continue
    }
    lines.push({ text: stripComment(open + (isComment ? '' : raw)), number: at + 1 })
    open = ''
  }
  if (open !== '') lines.push({ text: stripComment(open), number: lines.length + 1 })
  return lines
}

function stripComment(line: string): string {
  // One space before it is enough to look for: a run of them would be read again from each of its places.
  return line.replace(/(?:^|\s)#.*$/s, '').trim()
}
