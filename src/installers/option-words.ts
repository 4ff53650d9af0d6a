/**
 * Words of an option parser, in all forms that it takes: `--name value`, `--name=value`, `-ivalue`, several
 * letters in one word, shortened names. What they name goes into what was found; nothing is judged.
 */

import { isRemote } from './reference.ts'
import type { Include, Place, Reference, ReferenceKind } from './reference.ts'
import { findTarget } from './requirement-text.ts'

export interface OptionUse {
  /** `arguments`: options for another program in one word. */
  readonly kind: ReferenceKind | 'include' | 'editable' | 'requirement' | 'arguments' | 'other'
  /** Whether a value follows. */
  readonly hasValue: boolean
}

export interface OptionTable {
  readonly options: ReadonlyMap<string, OptionUse>
  /** `-i` -> `--index-url` */
  readonly shortOptions: ReadonlyMap<string, string>
  /** Any beginning of a name will do that no other name has. */
  readonly isShortened: boolean
}

export interface GivenOption {
  readonly name: string
  readonly kind: OptionUse['kind']
  readonly value: string
}

export interface ReadWords {
  readonly options: readonly GivenOption[]
  /** What is no option, nor the value of one. */
  readonly rest: readonly string[]
}

/** @param isOver true of a word that is no option: those behind it, and it itself, are the rest */
export function readOptionWords(
  words: readonly string[],
  table: OptionTable,
  isOver: (word: string) => boolean = () => false,
): ReadWords {
  const options: GivenOption[] = []
  const rest: string[] = []
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at] ?? ''
    if (word === '--' || (!isOption(word) && isOver(word))) {
      rest.push(...words.slice(word === '--' ? at + 1 : at))
      break
    }
    if (!isOption(word)) {
      rest.push(word)
      continue
    }
    for (const { name, use, value } of splitOption(word, table)) {
      const isNext = use.hasValue && value === undefined
      if (isNext) at += 1
      const given = isNext ? (words[at] ?? '') : (value ?? 'true')
      options.push({ name, kind: use.kind, value: given })
    }
  }
  return { options, rest }
}

function isOption(word: string): boolean {
  return word.startsWith('-') && word !== '-'
}

interface SplitOption {
  readonly name: string
  readonly use: OptionUse
  readonly value?: string
}

function splitOption(word: string, table: OptionTable): SplitOption[] {
  if (!word.startsWith('--')) return splitLetters(word, table)
  const at = word.indexOf('=')
  const name = findName(at < 0 ? word : word.slice(0, at), table)
  const use = table.options.get(name)
  if (use === undefined) return []
  return [{ name, use, ...(at >= 0 && { value: word.slice(at + 1) }) }]
}

/** `-qUihttp://...`: the first letter that takes a value takes the rest of the word. */
function splitLetters(word: string, { options, shortOptions }: OptionTable): SplitOption[] {
  const found: SplitOption[] = []
  for (let at = 1; at < word.length; at += 1) {
    const name = `-${word[at]}`
    const use = options.get(shortOptions.get(name) ?? '')
    if (use === undefined) continue
    const value = word.slice(at + 1).replace(/^=/, '')
    found.push({ name, use, ...(use.hasValue && value !== '' && { value }) })
    if (use.hasValue) break
  }
  return found
}

/** Of several that begin so, one that names a source: whoever is not sure says more, not less. */
function findName(name: string, { options, isShortened }: OptionTable): string {
  if (options.has(name) || !isShortened) return name
  const candidates = [...options.keys()].filter((full) => full.startsWith(name))
  const source = candidates.find((full) => options.get(full)?.kind !== 'other')
  return source ?? candidates[0] ?? name
}

export interface Found {
  readonly references: Reference[]
  readonly includes: Include[]
}

/** `arguments` are for the caller, who knows whose they are. */
export function addOption({ name, kind, value }: GivenOption, place: Place, found: Found): void {
  const named = { ...place, name }
  switch (kind) {
    case 'other':
    case 'arguments':
      return
    case 'editable':
      found.references.push(...listEditable(value, named))
      return
    case 'requirement':
      found.references.push(...listTargets(value, named))
      return
    case 'include':
      if (isRemote(value)) {
        found.references.push({ kind: 'url', value, ...named })
      } else found.includes.push({ line: place.line, path: value })
      return
    default:
      found.references.push({ kind, value, ...named })
  }
}

/** Everything that is editable is a path or a repository. */
function listEditable(value: string, place: Place): Reference[] {
  const found = findTarget(value, place)
  return found === undefined ? [{ kind: 'path', value, ...place }] : [found]
}

export function listTargets(requirement: string, place: Place): Reference[] {
  const found = findTarget(requirement, place)
  return found === undefined ? [] : [found]
}
