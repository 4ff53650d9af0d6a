/**
 * HTML of the status pages. A string in it is text and nothing else: it is escaped here, characters that
 * nobody sees or that turn text around are spelled out. Only what `html` made passes as it is.
 */

import { escapeInvisible } from '../audit/line.ts'
import { encodeUtf8, type Bytes } from '../base/bytes.ts'
import { formatSpan, formatUtcSeconds } from '../base/clock.ts'
import { sha256Hex } from '../base/digest.ts'
import { escapeHtml } from '../simple/html-text.ts'
import type { StatusAnswer } from './status-answer.ts'
import { style } from './status-style.ts'

export interface Html {
  readonly html: string
}

type Value = string | number | Html | readonly Html[] | undefined

export function html(strings: TemplateStringsArray, ...values: readonly Value[]): Html {
  return { html: strings.reduce((text, string, at) => text + toHtml(values[at - 1]) + string) }
}

export const nothing: Html = { html: '' }

const maxTextLength = 1000

function toHtml(value: Value): string {
  if (value === undefined) return ''
  if (typeof value === 'number') return String(value)
  if (typeof value === 'string') return escapeText(value)
  return 'html' in value ? value.html : value.map((part) => part.html).join('')
}

function escapeText(raw: string): string {
  const text = raw.length > maxTextLength ? `${raw.slice(0, maxTextLength)}...` : raw
  const visible = escapeInvisible(text).replaceAll(
    // eslint-disable-next-line no-control-regex -- control characters are what is spelled out
    /[\u0000-\u001f]/g,
    (character) => String.raw`\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
  return escapeHtml(visible)
}

/** `<bdi>`: letters that are written from right to left turn nothing around them. */
export function isolate(text: string): Html {
  return html`<bdi>${text}</bdi>`
}

/** It breaks between day and time alone. */
export function renderTime(time: number): Html {
  const stamp = formatUtcSeconds(time)
  const parts = [stamp.slice(0, 10), `${stamp.slice(11, 19)} UTC`]
  const [first, last] = parts.map((part) => html`<span class="whole">${part}</span>`)
  return html`<time datetime="${stamp}">${first} ${last}</time>`
}

/** `5 min ago`, `in 22 h`. */
export function describeDistance(time: number, now: number): string {
  if (Math.abs(time - now) < 1000) return 'now'
  return time < now ? `${formatSpan(now - time)} ago` : `in ${formatSpan(time - now)}`
}

export function renderDocument(title: string, body: Html): Bytes {
  const page = html`<!DOCTYPE html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta name="referrer" content="no-referrer" />
        <title>${title}</title>
        <link rel="icon" href="${icon}" />
        ${styleElement}
      </head>
      <body>
        ${body}
      </body>
    </html> `
  return encodeUtf8(page.html)
}

/** Exactly the text of which the policy names the digest. */
const styleElement: Html = { html: `<style>${style}</style>` }

const icon = `data:image/svg+xml,${encodeURIComponent(
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><path d="M2 14V6a6 6 0 0 1 12 0v8h-3V6a3 3 0 0 0-6 0v8z" fill="#2563a8"/></svg>',
)}`

/** Nothing is loaded, run, framed or sent, whatever stood in the page. */
const policy = [
  "default-src 'none'",
  `style-src 'sha256-${Buffer.from(sha256Hex(encodeUtf8(style)), 'hex').toString('base64')}'`,
  'img-src data:',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

export function answerHtml(body: Bytes, status = 200): StatusAnswer {
  return { status, headers: documentHeaders, body }
}

export const documentHeaders: readonly string[] = [
  'Content-Type',
  'text/html; charset=utf-8',
  'Cache-Control',
  'no-store',
  'Content-Security-Policy',
  policy,
  'Referrer-Policy',
  'no-referrer',
  'Vary',
  'Accept',
]
