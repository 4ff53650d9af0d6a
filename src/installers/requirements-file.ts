/**
 * requirements.txt and constraints as pip reads them: joined lines, comments, options in all the forms
 * that its option parser takes, among them shortened ones. Text in, references out.
 */

import { findTarget } from './requirement-text.ts'
import { isRemote } from './reference.ts'
import type { Include, Place, ReadSettings, Reference, ReferenceKind } from './reference.ts'

interface OptionUse {
  readonly kind: ReferenceKind | 'include' | 'editable' | 'other'
  /** Whether a value follows. */
  readonly hasValue: boolean
}

const source = (kind: OptionUse['kind'], hasValue = true): OptionUse => ({ kind, hasValue })

/** All of those that pip takes in such a file, so that a shortened one is known to be unique. */
const options: ReadonlyMap<string, OptionUse> = new Map([
  ['--index-url', source('index')],
  ['--pypi-url', source('index')],
  ['--extra-index-url', source('extra-index')],
  ['--find-links', source('find-links')],
  ['--no-index', source('no-index', false)],
  ['--trusted-host', source('trusted-host')],
  ['--requirement', source('include')],
  ['--constraint', source('include')],
  ['--editable', source('editable')],
  ['--no-binary', source('other')],
  ['--only-binary', source('other')],
  ['--prefer-binary', source('other', false)],
  ['--require-hashes', source('other', false)],
  ['--pre', source('other', false)],
  ['--use-feature', source('other')],
  ['--hash', source('other')],
  ['--global-option', source('other')],
  ['--config-settings', source('other')],
])

const shortOptions: ReadonlyMap<string, string> = new Map([
  ['-i', '--index-url'],
  ['-f', '--find-links'],
  ['-r', '--requirement'],
  ['-c', '--constraint'],
  ['-e', '--editable'],
  ['-C', '--config-settings'],
])

export function parseRequirementsFile(text: string): ReadSettings {
  const references: Reference[] = []
  const includes: Include[] = []
  for (const { line, text: joined } of joinLines(text)) {
    const place: Place = { installer: 'pip', line, name: '' }
    const words = splitWords(joined)
    const [first = ''] = words
    if (first.startsWith('-')) readOptions(words, place, { references, includes })
    else references.push(...listTargets(joined, place))
  }
  return { references, includes }
}

interface NumberedLine {
  readonly line: number
  readonly text: string
}

/** A backslash at the end joins the next line, a comment takes the rest of its own. */
function joinLines(text: string): NumberedLine[] {
  const joined: NumberedLine[] = []
  let open: { line: number; parts: string[] } | undefined
  for (const { line, text: raw } of splitLines(text)) {
    const isComment = /^\s*#/.test(raw)
    open ??= { line, parts: [] }
    if (raw.endsWith('\\') && !isComment) {
      open.parts.push(raw.slice(0, -1))
      continue
    }
    open.parts.push(isComment ? ` ${raw}` : raw)
    joined.push({ line: open.line, text: stripComment(open.parts.join('')) })
    open = undefined
  }
  if (open !== undefined) joined.push({ line: open.line, text: stripComment(open.parts.join('')) })
  return joined.filter((one) => one.text !== '')
}

/** What ends a line for Python, and for no editor: something could be hidden behind it. */
const innerEnds = new RegExp(String.raw`[\f\v\x1c-\x1e\x85\u2028\u2029]`)

function splitLines(text: string): NumberedLine[] {
  return text
    .split(/\r\n|\n|\r/)
    .flatMap((line, at) => line.split(innerEnds).map((part) => ({ line: at + 1, text: part })))
}

function stripComment(text: string): string {
  return text.replace(/(?:^|\s)#.*$/s, '').trim()
}

/** As a shell splits them. */
function splitWords(text: string): string[] {
  const words = text.match(/(?:[^\s"'\\]|\\.|"(?:[^"\\]|\\.)*"|'[^']*')+/gs) ?? []
  return words.map((word) => word.replaceAll(/"((?:[^"\\]|\\.)*)"|'([^']*)'|\\(.)/gs, '$1$2$3'))
}

interface Found {
  readonly references: Reference[]
  readonly includes: Include[]
}

function readOptions(words: readonly string[], place: Place, found: Found): void {
  for (let at = 0; at < words.length; at += 1) {
    const { name, value } = splitOption(words[at] ?? '')
    const use = findOption(name)
    if (use === undefined) continue
    const isNext = use.hasValue && value === undefined
    if (isNext) at += 1
    const given = isNext ? (words[at] ?? '') : (value ?? 'true')
    addOption(
      use.kind,
      given,
      { ...place, name: name.startsWith('--') ? fullName(name) : name },
      found,
    )
  }
}

/** `--name=value`, `-ivalue`, or the name alone. */
function splitOption(word: string): { name: string; value?: string } {
  if (!word.startsWith('--')) {
    return word.length > 2 ? { name: word.slice(0, 2), value: word.slice(2) } : { name: word }
  }
  const at = word.indexOf('=')
  return at < 0 ? { name: word } : { name: word.slice(0, at), value: word.slice(at + 1) }
}

/** Any beginning of a name will do that no other name has. */
function fullName(name: string): string {
  if (options.has(name)) return name
  const candidates = [...options.keys()].filter((full) => full.startsWith(name))
  return candidates.length === 1 ? (candidates[0] ?? name) : name
}

function findOption(name: string): OptionUse | undefined {
  return options.get(shortOptions.get(name) ?? fullName(name))
}

function addOption(kind: OptionUse['kind'], value: string, place: Place, found: Found): void {
  switch (kind) {
    case 'other':
      return
    case 'editable':
      found.references.push(...listEditable(value, place))
      return
    case 'include':
      if (isRemote(value)) {
        found.references.push({ kind: 'url', value, ...place })
      } else found.includes.push({ line: place.line, path: value })
      return
    default:
      found.references.push({ kind, value, ...place })
  }
}

/** Everything that is editable is a path or a repository. */
function listEditable(value: string, place: Place): Reference[] {
  const found = findTarget(value, place)
  return found === undefined ? [{ kind: 'path', value, ...place }] : [found]
}

function listTargets(requirement: string, place: Place): Reference[] {
  const found = findTarget(requirement, place)
  return found === undefined ? [] : [found]
}
