/** A line of the log, read back. What it says is as true as the log is whole: see the verifier. */

import { decodeUtf8, type Bytes } from '../base/bytes.ts'
import {
  DecodeError,
  member,
  readArray,
  readInteger,
  readMember,
  readObject,
  readString,
  type JsonObject,
} from '../base/decode.ts'
import { auditKinds, type AuditEvent } from './event.ts'

export interface AuditEntry extends AuditEvent {
  readonly chain: string
  readonly seq: number
  /** Milliseconds. */
  readonly time: number
  readonly prev: string
  /** So many equal events stand behind this line, from `since` (ISO 8601) on. */
  readonly count?: number
  readonly since?: string
  /** Request ids of the first of those. */
  readonly ids?: readonly string[]
  /** In the first line of a chain: `CHAIN:SEQ:DIGEST` of another one. */
  readonly previous?: string
  /** Files that the disk budget took. */
  readonly removed?: readonly string[]
}

const kinds: ReadonlySet<string> = new Set(auditKinds)

/** `undefined` for what is not a line of schema `v: 1`. */
export function parseEntry(bytes: Bytes, chain: string): AuditEntry | undefined {
  try {
    return readEntry(readObject(JSON.parse(decodeUtf8(bytes))), chain)
  } catch {
    // Whatever it is, it is not a line that this program wrote.
    return undefined
  }
}

function readEntry(object: JsonObject, chain: string): AuditEntry {
  if (member(object, 'v') !== 1) throw new DecodeError('is not 1', ['v'])
  const time = Date.parse(readMember(object, 'time', readString))
  if (Number.isNaN(time)) throw new DecodeError('is not a time', ['time'])
  const kind = readMember(object, 'kind', readString)
  if (!kinds.has(kind)) throw new DecodeError('is not known', ['kind'])
  for (const name of texts) if (Object.hasOwn(object, name)) readMember(object, name, readString)
  for (const name of numbers) if (Object.hasOwn(object, name)) readMember(object, name, readNumber)
  for (const name of lists) if (Object.hasOwn(object, name)) readMember(object, name, readTexts)
  if (Object.hasOwn(object, 'trust')) readMember(object, 'trust', readObject)
  if ((member(object, 'chain') ?? chain) !== chain) throw new DecodeError('is another', ['chain'])
  const seq = readMember(object, 'seq', (value) => readInteger(value, 1))
  const prev = readMember(object, 'prev', readString)
  // Every member that is declared has just been looked at.
  return { ...(object as unknown as AuditEvent), chain, seq, time, prev }
}

const texts: readonly (keyof AuditEntry)[] = [
  'id',
  'client',
  'request',
  'project',
  'file',
  'expected',
  'found',
  'code',
  'message',
  'next',
  'since',
  'previous',
  'chain',
]

const lists: readonly (keyof AuditEntry)[] = ['removed', 'ids']

const numbers: readonly (keyof AuditEntry)[] = ['bytes', 'ms', 'count']

function readTexts(value: unknown): string[] {
  return readArray(value, readString)
}

function readNumber(value: unknown): number {
  if (typeof value !== 'number') throw new DecodeError('is not a number')
  return value
}
