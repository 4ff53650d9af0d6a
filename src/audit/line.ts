/**
 * One line of the log: the form of schema `v: 1`, safe to show, cut to a length, without secrets.
 *
 * `prev` is the sha256 of the line before without its line feed, so that a line cannot be changed,
 * dropped, inserted or moved without changing all that follow.
 */

import type { AuditEvent } from './event.ts'

/** Of the first line of a chain. */
export const noLineBefore = '0'.repeat(64)

/** No line is longer; a reader may give up beyond it. */
export const maxLineBytes = 64 * 1024

/** What the log adds to an event. */
export interface LineExtras {
  /** So many equal events stand behind this line, from `since` on. */
  readonly count?: number
  /** Request ids of the first of them. */
  readonly ids?: readonly string[]
  readonly since?: string
  /** In the first line of a chain. */
  readonly chain?: string
  /** The newest line of the newest other chain at that time: `CHAIN:SEQ:DIGEST`. */
  readonly previous?: string
  /** Parts that the disk budget took: their file names, and the last line of each. */
  readonly removed?: readonly string[]
}

/** In characters; a character is at most six bytes on disk. */
const maxLengths: ReadonlyMap<string, number> = new Map([
  ['id', 64],
  ['client', 128],
  ['request', 2048],
  ['project', 256],
  ['file', 512],
  ['expected', 512],
  ['found', 512],
  ['code', 64],
  ['message', 1024],
  ['next', 512],
  ['role', 256],
  ['record', 64],
])

/** The members of a line after `prev`, without the opening brace. Rendered once, at the append. */
export function renderBody(event: AuditEvent, extras: LineExtras = {}): string {
  const {
    kind,
    id,
    client,
    request,
    project,
    file,
    expected,
    found,
    code,
    message,
    next,
    trust,
    ...rest
  } = event
  const texts = {
    id,
    client,
    request: request?.split('?', 1)[0],
    project,
    file,
    expected,
    found,
    code,
    message,
    next,
  }
  const body = {
    kind,
    ...cutAll(texts),
    ...(trust && {
      trust: {
        ...cutAll({ kind: trust.kind }),
        ...keepNumbers(trust),
        ...cutAll({ role: trust.role, record: trust.record }),
      },
    }),
    ...keepNumbers(rest),
    ...extras,
  }
  return escapeInvisible(JSON.stringify(body)).slice(1)
}

export interface Position {
  readonly seq: number
  /** ISO 8601 with milliseconds. */
  readonly time: string
  readonly prev: string
}

/** Without the line feed. */
export function renderLine({ seq, time, prev }: Position, body: string): string {
  return `{"v":1,"seq":${seq},"time":"${time}","prev":"${prev}",${body}`
}

function cutAll(texts: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const cut: Record<string, string> = {}
  for (const [name, text] of Object.entries(texts)) {
    if (text !== undefined)
      cut[name] = cutText(withoutCredentials(text), maxLengths.get(name) ?? 256)
  }
  return cut
}

function cutText(text: string, maxLength: number): string {
  return text.length <= maxLength ? text : `${text.slice(0, maxLength - 3)}...`
}

/** `https://user:secret@host` in a message of another library. */
function withoutCredentials(text: string): string {
  return text.includes('@') ? text.replaceAll(/\/\/[^/\s@]*@/g, '//') : text
}

/** What JSON cannot carry is left out: NaN and the infinite. */
function keepNumbers(values: object): Record<string, number> {
  const kept: Record<string, number> = {}
  for (const [name, value] of Object.entries(values) as [string, unknown][]) {
    if (typeof value === 'number' && Number.isFinite(value)) kept[name] = value
  }
  return kept
}

/**
 * JSON escapes control characters up to U+001F. The others that move a cursor, end a line or turn
 * the direction of text around can only stand in strings, where an escape means the same.
 */
export function escapeInvisible(json: string): string {
  return json.replaceAll(
    /[\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g,
    (character) => String.raw`\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}
