/**
 * Which projects requirements files name. Names alone: which versions will be wanted is for the
 * installer, and everything the index has of a project is signed.
 */

import { isProjectName, normalizeName } from '../simple/names.ts'

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
  const seen = new Set<string>(paths)
  // A Set is walked in the order of insertion, and what is added on the way is walked too.
  for (const path of seen) {
    for (const { text, number } of joinLines(await port.read(path))) {
      const item = parseLine(text)
      if (item.kind === 'project') projects.add(item.name)
      else if (item.kind === 'include' && seen.size < maxFiles)
        seen.add(port.resolve(path, item.path))
      else if (item.kind !== 'nothing' && uncovered.length < maxUncovered) {
        uncovered.push({ place: `${path}:${number}`, line: text })
      }
    }
  }
  return { projects, uncovered }
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
  const match = /^([A-Za-z0-9][A-Za-z0-9._-]*)\s*(.*)$/.exec(text)
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
  return line.replace(/(?:^|\s+)#.*$/, '').trim()
}
