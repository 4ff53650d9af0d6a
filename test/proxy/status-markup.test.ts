import { string, assert, property } from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeUtf8 } from '../../src/base/bytes.ts'
import {
  describeDistance,
  html,
  isolate,
  renderDocument,
  renderTime,
} from '../../src/proxy/status-markup.ts'

describe('a string in a page', () => {
  test('is text, whatever it is', () => {
    assert(
      property(string({ unit: 'binary' }), (text) => {
        const inside = html`<p title="${text}">${text}</p>`.html
        expect(inside.match(/</g)).toHaveLength(2)
        expect(inside.match(/"/g)).toHaveLength(2)
        expect(inside).not.toMatch(/[\p{Cc}\u200e\u200f\u202a-\u202e\u2066-\u2069]/u)
      }),
    )
  })

  test('is cut where nobody reads on', () => {
    expect(html`${'x'.repeat(5000)}`.html).toBe(`${'x'.repeat(1000)}...`)
  })

  test('does not become markup by standing in a part of a page', () => {
    const part = html`<b>${'<i>'}</b>`
    expect(html`<p>${part}${[part, part]}${undefined}${7}</p>`.html).toBe(
      `<p>${'<b>&lt;i&gt;</b>'.repeat(3)}7</p>`,
    )
  })

  test('cannot turn around what stands beside it', () => {
    expect(isolate('\u202eabc').html).toBe(String.raw`<bdi>\u202eabc</bdi>`)
  })

  test('cannot end the title', () => {
    const page = decodeUtf8(renderDocument('</title><script>', html`<main></main>`))
    expect(page).toContain('<title>&lt;/title&gt;&lt;script&gt;</title>')
  })
})

test.each([
  [0, 'now'],
  [-1500, '1 s ago'],
  [90 * 60_000, 'in 1 h'],
  [-3 * 86_400_000, '3 d ago'],
])('a time %d ms from now is %s', (offset, text) => {
  expect(describeDistance(1e12 + offset, 1e12)).toBe(text)
})

test('a time is for people and for programs', () => {
  expect(renderTime(Date.parse('2026-11-20T12:00:00Z')).html).toBe(
    '<time datetime="2026-11-20T12:00:00Z"><span class="whole">2026-11-20</span> <span class="whole">12:00:00 UTC</span></time>',
  )
})
