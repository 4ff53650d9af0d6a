import { expect, test } from 'vitest'
import { renderCode, renderSummaryMarkdown } from '../../src/report/summary-markdown.ts'
import { hostileNames, summarizeHostile } from './hostile-names.ts'
import { refused, released, summarize } from './session-support.ts'

/** All that this program itself writes: what is left besides is text. */
function withoutOwn(markdown: string): string {
  return markdown
    .replaceAll(/<\/?(?:code|details|summary)>|<br>/g, '')
    .replaceAll(/^> (?:\[!CAUTION\])?/gm, '')
    .replaceAll(/&#\d+;/g, '')
    .replaceAll(/^\|(?:   \||---\|)+$/gm, '')
}

test('what is untrusted can open nothing: no tag, link, cell, heading or mention', async () => {
  const markdown = renderSummaryMarkdown(await summarizeHostile(), { problems: [...hostileNames] })
  expect(markdown).toMatch(/^[\x20-\x7e\n]*$/)
  for (const line of withoutOwn(markdown).split('\n')) {
    expect(line).not.toMatch(/[<>`@[\]{}$\\_*~&]|::|https?:|www\.|!\[/)
    // Three cells, whatever stands in them.
    if (line.startsWith('|')) expect(line.match(/\|/g)).toHaveLength(4)
    else expect(line).not.toContain('|')
  }
})

test.each(hostileNames)('%j stands in one element of code', (name) => {
  const code = renderCode(name)
  expect(code).toMatch(/^<code>(?:[A-Za-z0-9 .,=-]|&#\d+;)*<\/code>$/)
  expect(code).not.toMatch(/www\./i)
})

test('is cut long before GitHub would take nothing of it', async () => {
  const long = '|'.repeat(400)
  const many = Array.from({ length: 300 }, (_, at) =>
    refused('DENIED', { file: `${at}${long}`, message: long, expected: long, found: `${long}!` }),
  )
  const markdown = renderSummaryMarkdown(await summarize(...many), { problems: [] })
  expect(markdown.length).toBeLessThan(500_000)
  const rows = markdown.match(/DENIED/g)?.length ?? 0
  expect(rows).toBeGreaterThan(10)
  expect(markdown).toContain(`and ${300 - rows} more`)
})

test('says at the top whether anything was wrong', async () => {
  const fine = await summarize(released('demo-1.0.whl'))
  expect(renderSummaryMarkdown(fine, { problems: [], head: 'c:1:d' })).toMatch(
    /^## tufgate: 1 file verified \(1.0 kB\), nothing refused\n/,
  )
  expect(renderSummaryMarkdown(fine, { problems: ['it died.\n  look'] })).toMatch(
    /^## :x: tufgate: .*\n\n> \[!CAUTION\]\n> <code>it died.<\/code><br>\n> <code>look<\/code><br>\n/,
  )
  const bad = await summarize(refused('DENIED', { file: 'demo-1.0.whl' }))
  expect(renderSummaryMarkdown(bad, { problems: [] })).toMatch(
    /^## :x: tufgate: no file handed out, 1 refused\n/,
  )
})

test('calls nothing verified that was only seen first', async () => {
  const summary = await summarize(
    released('demo-1.0.whl', { trust: { kind: 'first-use', root: 1 } }),
  )
  const markdown = renderSummaryMarkdown(summary, { problems: [] })
  expect(markdown).toContain('First-use (nobody has signed these)')
  expect(markdown).not.toMatch(/verified/i)
})
