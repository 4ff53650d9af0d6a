import { expect, test } from 'vitest'
import type { AuditEntry } from '../../src/audit/entry.ts'
import { summarizeSession } from '../../src/report/session-summary.ts'
import { renderSummaryText } from '../../src/report/summary-text.ts'
import { entry, refused, released, stream, summarize } from './session-support.ts'

test('counts a file once, however often it was handed out', async () => {
  const summary = await summarize(
    released('demo-1.0-py3-none-any.whl'),
    released('demo-1.0-py3-none-any.whl', { count: 3 }),
  )
  expect(summary.released).toEqual({
    items: [
      {
        file: 'demo-1.0-py3-none-any.whl',
        project: 'demo',
        trust: 'signed',
        bytes: 2000,
        count: 4,
      },
    ],
    more: 0,
  })
  expect(summary.trust.items).toEqual([
    { trust: 'signed', root: 1, timestamp: 4, snapshot: 3, count: 4 },
  ])
})

test('does not call a file verified because its metadata was', async () => {
  const summary = await summarize(
    released('demo-1.0-py3-none-any.whl.metadata'),
    refused('DIGEST_MISMATCH', { project: 'demo', file: 'demo-1.0-py3-none-any.whl' }),
  )
  expect(summary.metadata).toBe(1)
  expect(summary.released.items).toEqual([])
  expect(renderSummaryText(summary)).toContain('tufgate: no file handed out, 1 refused\n')
})

test('keeps what was handed out on first use apart, and never calls it verified or signed', async () => {
  const summary = await summarize(
    released('demo-1.0.whl', { trust: { kind: 'first-use', root: 1, timestamp: 2, snapshot: 2 } }),
  )
  const text = renderSummaryText(summary)
  expect(text).toContain('1 file handed out on first use (1.0 kB), nothing refused')
  expect(text).toContain('First-use (nobody has signed these):')
  // Once is enough.
  expect(text).not.toContain('rested on')
  expect(text).not.toMatch(/verified|root 1/i)
})

test('takes an answer of which the log does not say what it rests on for unsigned', async () => {
  const summary = await summarize(entry('released', { project: 'demo', file: 'demo-1.0.whl' }))
  expect(summary.released.items[0]?.trust).toBe('first-use')
})

test('gathers equal refusals, with the details of the newest request', async () => {
  const summary = await summarize(
    refused('DIGEST_MISMATCH', { project: 'demo', file: 'demo-1.0.whl', id: 'r-1', found: 'x' }),
    refused('DIGEST_MISMATCH', { project: 'demo', file: 'demo-1.0.whl', id: 'r-2', found: 'y' }),
    entry('refused', {
      code: 'DIGEST_MISMATCH',
      project: 'demo',
      file: 'demo-1.0.whl',
      message: 'counted',
      count: 40,
    }),
  )
  expect(summary.refused.items).toEqual([
    {
      code: 'DIGEST_MISMATCH',
      project: 'demo',
      file: 'demo-1.0.whl',
      reason: 'refused for DIGEST_MISMATCH',
      found: 'y',
      id: 'r-2',
      count: 42,
    },
  ])
})

test.each([
  ['DIGEST_MISMATCH', {}, 'refused'],
  ['EXPIRED', { project: 'demo' }, 'refused'],
  ['NOT_SIGNED', { project: 'demo' }, 'refused'],
  ['HOST_REFUSED', {}, 'refused'],
  ['A_CODE_OF_TOMORROW', {}, 'refused'],
  ['NOT_FOUND', { project: 'demo', file: 'demo-1.0.whl' }, 'refused'],
  ['NOT_FOUND', { project: 'pip' }, 'absent'],
  ['UNREACHABLE', { project: 'demo' }, 'failed'],
  ['AUDIT_FAILED', { project: 'demo' }, 'failed'],
  ['BUG', {}, 'failed'],
] as const)('%s %j counts as %s', async (code, details, listing) => {
  const summary = await summarize(refused(code, details))
  const counts = { refused: 0, absent: 0, failed: 0, [listing]: 1 }
  for (const name of ['refused', 'absent', 'failed'] as const) {
    expect(summary[name].items.length, name).toBe(counts[name])
  }
})

test('a fact that the reason says already is not said again', async () => {
  const details = { request: 'CONNECT a.example:443', message: 'a.example:443 is on no list' }
  const summary = await summarize(
    refused('FORWARD_REFUSED', { ...details, found: 'a.example:443', expected: 'an index' }),
  )
  const text = renderSummaryText(summary)
  expect(text).toContain('      expected an index')
  expect(text).not.toContain('found')
})

test('a path without the token and a strange host refuse no download', async () => {
  const summary = await summarize(
    refused('NOT_FOUND'),
    refused('HOST_NOT_ALLOWED'),
    refused('BAD_REQUEST', { count: 5 }),
  )
  expect(summary.misdirected).toBe(7)
  expect(summary.refused.items).toEqual([])
})

function* yieldMany(): Generator<AuditEntry> {
  for (let at = 0; at < 6000; at += 1) yield released(`demo-${at}.whl`)
  for (let at = 0; at < 6000; at += 1) yield refused('DENIED', { file: `evil-${at}.whl` })
}

test('holds so many names and counts the rest, so that a client cannot fill the memory', async () => {
  const summary = await summarizeSession(stream(yieldMany()))
  expect(summary.released.items).toHaveLength(5000)
  expect(summary.released.more).toBe(1000)
  expect(summary.refused.items).toHaveLength(5000)
  const text = renderSummaryText(summary)
  expect(text).toContain('5000 files verified (5.0 MB), 1000 more answers with files')
  expect(text).toContain('more than 5000 refused')
  expect(text).toContain('and 4950 more, and 1000 more lines of the audit log')
  expect(text.split('\n').length).toBeLessThan(150)
})

test('tells whether the proxy stopped as it should, and how long it ran', async () => {
  expect(await summarize(entry('start'), entry('stop', { time: 61_000 }))).toMatchObject({
    startedAt: 1000,
    endedAt: 61_000,
    isStopped: true,
  })
  expect((await summarize(entry('start'))).isStopped).toBe(false)
  expect(await summarize()).toMatchObject({ isStopped: false, misdirected: 0 })
})

test('says what was refused, hidden and warned of, with reasons and request ids', async () => {
  const summary = await summarize(
    entry('warning', { code: 'UNREACHABLE', message: 'main: mirror x: no answer' }),
    refused('DIGEST_MISMATCH', {
      project: 'demo',
      file: 'demo-1.0.whl',
      message: 'sha256 of demo-1.0.whl is not the signed one',
      expected: 'sha256:aa',
      found: 'sha256:bb',
    }),
    entry('hidden', {
      project: 'young',
      code: 'TOO_YOUNG',
      message: 'policy hides young-2.0.whl',
      id: 'r-7',
    }),
    refused('NOT_FOUND', { project: 'pip', message: 'project pip is not in the signed list' }),
    released('good-1.0.whl'),
  )
  expect(renderSummaryText(summary, { explainCommand: 'tufgate explain' })).toBe(
    [
      'tufgate: 1 file verified (1.0 kB), 1 refused, files of 1 project hidden by policy',
      '  Refused:',
      '    demo-1.0.whl: sha256 of demo-1.0.whl is not the signed one (r-1)',
      '      code     DIGEST_MISMATCH',
      '      expected sha256:aa',
      '      found    sha256:bb',
      '  Hidden by policy:',
      '    young: policy hides young-2.0.whl (r-7)',
      '      rule     TOO_YOUNG',
      '  Not in the list:',
      '    pip: project pip is not in the signed list (r-1)',
      '  Warnings:',
      '    UNREACHABLE: main: mirror x: no answer',
      '  Verified:',
      '    good-1.0.whl: 1.0 kB',
      '  answers rested on: signed list: root 1, timestamp 4, snapshot 3',
      '  why: tufgate explain r-1',
    ].join('\n'),
  )
})

test.each(['::error::owned', '  ::add-mask::x', '##[error]x', '##vso[task.setvariable]x', ':::x'])(
  'a file called %s gives a pipeline no command',
  async (file) => {
    const summary = await summarize(refused('DENIED', { file, message: file }))
    for (const line of renderSummaryText(summary).split('\n')) {
      expect(line.trimStart()).not.toMatch(/^::/)
      expect(line).not.toContain('##')
    }
  },
)

test('moves no cursor and begins no line of its own', async () => {
  const file = 'a\u001b[2J\r\n::error::x\u202e\u0007.whl'
  const text = renderSummaryText(await summarize(refused('DENIED', { file, message: file })))
  expect(text).toMatch(/^[\x20-\x7e\n]*$/)
  expect(text).toContain('a?[2J??::error::x??.whl')
})

test('names the servers from which something was let pass, and that nobody checked it', async () => {
  const passed = { code: 'PASSED_UNVERIFIED', found: 'pkgs.example:443' }
  const summary = await summarize(
    entry('page', passed),
    entry('page', { ...passed, bytes: 1200 }),
    entry('page', { project: 'demo', bytes: 5 }),
  )
  expect(summary.passed).toEqual({ items: [{ server: 'pkgs.example:443', bytes: 1200 }], more: 0 })
  const text = renderSummaryText(summary)
  expect(text).toContain('nothing refused, 1 server let pass unverified')
  expect(text).toContain(
    'Let pass unverified (the settings allow it):\n    pkgs.example:443: 1.2 kB',
  )
})
