/** A summary as JUnit XML: what was refused fails, what could not be had is an error, what is hidden is skipped. */

import { toPrintable } from '../base/bytes.ts'
import { describeSubject, type SessionVerdict } from './sections.ts'
import type { RefusedItem, SessionSummary } from './session-summary.ts'

/** Of each kind. Readers hold the whole file in memory. */
const maxCases = 1000
const maxLength = 1000

/** Ends in a line feed. */
export function renderJunit(summary: SessionSummary, { problems }: SessionVerdict): string {
  const { refused, failed, hidden, released } = summary
  const failures = refused.items.slice(0, maxCases).map((item) => renderRefused(item, 'failure'))
  const errors = failed.items.slice(0, maxCases).map((item) => renderRefused(item, 'error'))
  const skipped = hidden.items.slice(0, maxCases).map(({ project, code, reason }) => {
    const child = `<skipped message=${quote(`${code}: ${reason}`)}/>`
    return renderCase('hidden', `project ${project}`, child)
  })
  const passed = released.items
    .slice(0, maxCases)
    .map(({ file, trust }) => renderCase(trust === 'signed' ? 'verified' : 'first-use', file))
  const broken = problems.map((problem) => {
    const [first = ''] = problem.split('\n')
    return renderCase('session', 'tufgate', renderChild('error', 'session', first, problem))
  })
  const cases = [...broken, ...failures, ...errors, ...skipped, ...passed]
  const counts = `tests="${cases.length}" failures="${failures.length}" errors="${errors.length + broken.length}" skipped="${skipped.length}"`
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="tufgate" ${counts}>`,
    `  <testsuite name="tufgate" ${counts}>`,
    ...cases.map((one) => `    ${one}`),
    '  </testsuite>',
    '</testsuites>',
    '',
  ].join('\n')
}

function renderRefused(item: RefusedItem, kind: 'failure' | 'error'): string {
  const { code, reason, expected, found, id, next } = item
  const lines = [
    reason,
    ...(expected === undefined ? [] : [`expected: ${expected}`]),
    ...(found === undefined ? [] : [`found: ${found}`]),
    ...(id === undefined ? [] : [`request: ${id}`]),
    ...(next === undefined ? [] : [`next: ${next}`]),
  ]
  const name = describeSubject(item)
  const className = kind === 'failure' ? 'refused' : 'could not be had'
  return renderCase(className, name, renderChild(kind, code, reason, lines.join('\n')))
}

function renderCase(className: string, name: string, child = ''): string {
  const start = `<testcase classname=${quote(`tufgate.${className}`)} name=${quote(name)} time="0"`
  return child === '' ? `${start}/>` : `${start}>${child}</testcase>`
}

function renderChild(kind: string, type: string, message: string, text: string): string {
  const lines = text.split('\n').map((line) => escapeXml(line))
  return `<${kind} type=${quote(type)} message=${quote(message)}>${lines.join('\n')}</${kind}>`
}

function quote(raw: string): string {
  return `"${escapeXml(raw)}"`
}

/** XML 1.0 2.2: most control characters cannot stand in it at all, not even as a reference. */
function escapeXml(raw: string): string {
  return toPrintable(raw, maxLength)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&apos;')
}
