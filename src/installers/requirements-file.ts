/**
 * requirements.txt and constraints as pip reads them: joined lines, comments, options in all the forms
 * that its option parser takes, among them shortened ones. Text in, references out.
 */

import { addOption, listTargets, readOptionWords } from './option-words.ts'
import type { Found, OptionTable, OptionUse } from './option-words.ts'
import type { Include, Place, ReadSettings, Reference } from './reference.ts'

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

const table: OptionTable = { options, shortOptions, isShortened: true }

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

function readOptions(words: readonly string[], place: Place, found: Found): void {
  for (const option of readOptionWords(words, table).options) addOption(option, place, found)
}
