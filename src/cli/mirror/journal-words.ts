/** What an entry of the journal says, as words. An entry of a newer program is shown as it is written. */

import { toPrintable } from '../../base/bytes.ts'
import {
  DecodeError,
  member,
  readArray,
  readInteger,
  readMember,
  readObject,
  readOptional,
  readString,
  type JsonObject,
} from '../../base/decode.ts'
import { changeKinds, type Change, type ChangeItem } from '../../mirror/change-kinds.ts'
import { describeChange } from '../../mirror/change-words.ts'
import type { JournalEntry } from '../../mirror/journal.ts'

export interface EntryWords {
  /** What was done: signed, warned, kept, held. */
  readonly act?: string
  readonly words: string
}

export function describeEntry(entry: JournalEntry): EntryWords {
  try {
    const detail = readObject(JSON.parse(entry.detail))
    const kind = changeKinds.find((known) => known === entry.kind)
    if (kind === undefined) return { words: toPrintable(describeAct(entry.kind, detail), 400) }
    const act = readOptional(detail, 'act', readString)
    const words = describeChange(readChange(kind, detail))
    return { words, ...(act !== undefined && { act }) }
  } catch (error) {
    if (!(error instanceof DecodeError) && !(error instanceof SyntaxError)) throw error
    return { words: toPrintable(entry.detail, 400) }
  }
}

function readChange(kind: Change['kind'], detail: JsonObject): Change {
  const of = readOptional(detail, 'of', (value) => readInteger(value, 0))
  return {
    kind,
    count: readMember(detail, 'count', (value) => readInteger(value, 0)),
    ...(of !== undefined && { of }),
    ...(member(detail, 'unit') === 'projects' && { unit: 'projects' }),
    items: readOptional(detail, 'items', (value) => readArray(value, readItem)) ?? [],
  }
}

function readItem(value: unknown): ChangeItem {
  const item = readObject(value)
  const names = ['file', 'version', 'before', 'after', 'since'] as const
  const texts = names.map((name) => [name, readOptional(item, name, readString)] as const)
  return Object.fromEntries(texts.filter(([, text]) => text !== undefined))
}

function describeAct(kind: string, detail: JsonObject): string {
  const text = (name: string): string => readScalar(detail, name)
  switch (kind) {
    case 'approved':
      return `what was held since ${text('since')} is signed: ${listKinds(detail)}`
    case 'rejected':
      return `what is held since ${text('since')} was refused: ${listKinds(detail)}`
    case 'hold-ended':
      return `the index does not show any more what was held since ${text('since')}`
    case 'acknowledged':
      return `what the index showed at ${text('since')} was looked into`
    case 'serial-back':
      return `a page with serial ${text('found')} was not used: ${text('expected')} was seen before`
    case 'file-differs':
      return `${text('file')} was downloaded and differs (${text('aspect')}): expected ${text('expected')}, found ${text('found')}`
    case 'index-unreachable':
      return `${nameIndex(detail)} does not answer`
    case 'index-reachable':
      return `${nameIndex(detail)} answers again; it did not from ${text('since')} to ${text('until')}`
    case 'entries-missing':
      return `entries ${text('first')} to ${text('last')} were lost with a database`
    default:
      return describeDecision(kind, detail)
  }
}

/** Who signs, and what is withdrawn. */
function describeDecision(kind: string, detail: JsonObject): string {
  const text = (name: string): string => readScalar(detail, name)
  switch (kind) {
    case 'claim-added':
      return `${text('as') === 'handover' ? 'other maintainers may sign it' : 'its maintainers may sign it'}, with ${listTexts(detail, 'keys')}`
    case 'owner-signed':
      return `version ${text('version')} of its maintainers, who sign with ${listTexts(detail, 'keys')}`
    case 'claim-promoted':
      return `the offline role claimed names its maintainers: ${listTexts(detail, 'keys')}`
    case 'claim-removed':
      return `the mirror signs it again; the claim was ${text('was')}`
    case 'denied':
      return `withdrawn: ${listTexts(detail, 'reasons')}`
    case 'deny-lifted':
      return describeLifted(listTexts(detail, 'reasons'))
    default:
      return JSON.stringify(detail)
  }
}

function readScalar(detail: JsonObject, name: string): string {
  const value = member(detail, name)
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '?'
}

function nameIndex(detail: JsonObject): string {
  return readOptional(detail, 'index', readString) ?? 'the index'
}

function describeLifted(left: string): string {
  return left === '' ? 'nothing is withdrawn any more' : `less is withdrawn; what is left: ${left}`
}

function listKinds(detail: JsonObject): string {
  return listTexts(detail, 'kinds')
}

function listTexts(detail: JsonObject, name: string): string {
  return readMember(detail, name, (value) => readArray(value, readString)).join(', ')
}
