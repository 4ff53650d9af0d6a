import { describe, expect, test } from 'vitest'
import type { Finding } from '../../src/installed/findings.ts'
import {
  buildReceipt,
  renderReceiptJson,
  type DistributionResult,
  type RecordOrigin,
} from '../../src/installed/receipt.ts'
import { renderReceiptText } from '../../src/installed/render-receipt.ts'

const origin: RecordOrigin = {
  index: 'pypi',
  url: 'https://pypi.org/simple/',
  trust: 'signed',
  rootSha256: 'a'.repeat(64),
  root: 3,
  timestamp: 41,
  snapshot: 40,
  role: 'bins-0a',
  record: 'b'.repeat(64),
}
const foo: DistributionResult = {
  name: 'foo',
  version: '1.0',
  status: 'traced',
  folder: 's/foo-1.0.dist-info',
  origin,
}
const bar: DistributionResult = {
  name: 'bar',
  version: '2.0',
  status: 'untold',
  folder: 's/bar-2.0.dist-info',
  reason: 'no mirror answers',
}
const same: Finding = { path: 's/foo.py', class: 'same', distribution: 'foo 1.0' }

function receiptOf(distributions: readonly DistributionResult[], findings: readonly Finding[]) {
  return buildReceipt({
    tufgate: '1.2.3',
    time: '2026-01-02T03:04:05Z',
    path: '/venv',
    layout: { kind: 'venv', sites: ['s'], python: '3.11' },
    pythonHome: '/usr/bin',
    byteCode: 'header',
    distributions,
    findings,
  })
}

describe('the result', () => {
  test('is verified where everything is in order', () => {
    expect(receiptOf([foo], [same]).result).toBe('verified')
  })

  test('is not told where only what could not be told is missing', () => {
    const findings: Finding[] = [
      same,
      { path: 's/bar.py', class: 'untraced', distribution: 'bar 2.0' },
    ]
    expect(receiptOf([foo, bar], findings).result).toBe('not-told')
    const more: Finding[] = [...findings, { path: 's/x.pth', class: 'unknown' }]
    expect(receiptOf([foo, bar], more).result).toBe('not-verified')
  })

  test('is never verified where byte code runs that nobody checked', () => {
    const receipt = receiptOf([foo], [same, { path: 's/c.pyc', class: 'byte-code' }])
    expect(receipt.result).toBe('byte-code-not-checked')
    const [last] = renderReceiptText(receipt, 40).trimEnd().split('\n').slice(-1)
    expect(last).toBe(
      'Everything that is installed is verified or made by the installer, BUT NOT THE BYTE CODE (1 file): traced to the signed record and its pinned root.',
    )
  })

  test('names what the scripts of a folder start, which nobody has signed', () => {
    const script: Finding = { path: 'bin/foo', class: 'generated', starts: '/tmp/evil/python' }
    const receipt = receiptOf([foo], [same, script])
    expect(receipt.environment.interpreters).toEqual(['/tmp/evil/python'])
    expect(renderReceiptText(receipt, 40)).toContain(
      'Its scripts start /tmp/evil/python: NOT CHECKED, nobody signs that',
    )
  })

  test.each(['untraced', 'refused'] as const)(
    'is not verified with a distribution that is %s',
    (status) => {
      expect(receiptOf([{ ...foo, status }], [same]).result).toBe('not-verified')
    },
  )
})

describe('a receipt', () => {
  const findings: Finding[] = [
    same,
    { path: 's/z.py', class: 'unknown' },
    { path: 's/a.py', class: 'changed', distribution: 'foo 1.0', reason: '1 byte' },
    { path: 's/x.pth', class: 'unknown', reason: 'runs' },
    { path: 's/c.pyc', class: 'byte-code' },
  ]

  test('is the same bytes whatever the order in which things were found', () => {
    const one = renderReceiptJson(receiptOf([foo, bar], findings))
    expect(renderReceiptJson(receiptOf([bar, foo], findings.toReversed()))).toBe(one)
    expect(renderReceiptText(receiptOf([foo, bar], findings), Infinity)).toBe(
      renderReceiptText(receiptOf([bar, foo], findings.toReversed()), Infinity),
    )
  })

  test('as text says what holds, from which root, and what does not', () => {
    expect(renderReceiptText(receiptOf([foo], findings), Infinity)).toBe(
      [
        '/venv (venv, Python 3.11 of /usr/bin), 2026-01-02T03:04:05Z, tufgate 1.2.3',
        '       1 verified: the same as in the wheels of the signed list',
        '       1 byte code whose header fits its source. WHAT IT DOES IS NOT CHECKED, and Python runs it in place of the source',
        '       1 CHANGED',
        '       2 UNKNOWN: of no signed wheel',
        '1 distribution, 1 traced to their wheels',
        'Not verified, what runs by itself first:',
        '  unknown    s/x.pth: runs',
        '  changed    s/a.py (foo 1.0): 1 byte',
        '  unknown    s/z.py',
        'index pypi (https://pypi.org/simple/): root 3, timestamp 41, snapshot 40',
        `  pinned root sha256 ${'a'.repeat(64)}`,
        'Byte code is as good as whoever wrote it. To have none that is older than this check: find ENVIRONMENT -name "*.pyc" -delete (Python makes it anew), or --bytecode refuse.',
        'NOT ALL IS VERIFIED.',
        '',
      ].join('\n'),
    )
  })

  test('of what was seen first never says verified or signed', () => {
    const first: DistributionResult = { ...foo, origin: { ...origin, trust: 'first-use' } }
    expect(renderReceiptText(receiptOf([first], [same]), 40)).not.toMatch(/verified|signed/i)
    expect(receiptOf([first], [same]).result).toBe('first-use')
  })

  test('cannot move the cursor by a path', () => {
    const text = renderReceiptText(
      receiptOf([foo], [{ path: 's/\u001b[2J\nx.py', class: 'unknown' }]),
      40,
    )
    expect(text).not.toContain('\u001b')
    expect(text).toContain('s/?[2J?x.py')
  })

  test('on a terminal names so many, and says how many more there are', () => {
    const many = Array.from({ length: 50 }, (_, at): Finding => ({
      path: `s/${at}.py`,
      class: 'unknown',
    }))
    expect(renderReceiptText(receiptOf([foo], many), 40)).toContain(
      '  and 10 more (--receipt FILE names all)',
    )
  })
})
