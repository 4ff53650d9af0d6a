import { spawnSync } from 'node:child_process'
import { Parser } from 'htmlparser2'
import { expect, test } from 'vitest'
import { renderJunit } from '../../src/report/junit.ts'
import { hostileNames, summarizeHostile } from './hostile-names.ts'
import { entry, refused, released, summarize } from './session-support.ts'

const hasExpat = spawnSync('python3', ['-c', 'import xml.dom.minidom']).status === 0

interface Element {
  readonly name: string
  readonly attributes: Readonly<Record<string, string>>
}

function parse(xml: string): Element[] {
  const elements: Element[] = []
  const parser = new Parser(
    { onopentag: (name, attributes) => elements.push({ name, attributes: { ...attributes } }) },
    { xmlMode: true },
  )
  parser.end(xml)
  return elements
}

test('is XML 1.0 of this program alone, whatever stands in it', async () => {
  const xml = renderJunit(await summarizeHostile(), { problems: [...hostileNames] })
  expect(xml).toMatch(/^[\x20-\x7e\n]*$/)
  const names = new Set(parse(xml).map(({ name }) => name))
  expect([...names].toSorted()).toEqual(
    ['error', 'failure', 'skipped', 'testcase', 'testsuite', 'testsuites'].toSorted(),
  )
})

test.runIf(hasExpat)('is well-formed for a strict reader', async () => {
  const xml = renderJunit(await summarizeHostile(), { problems: [...hostileNames] })
  const script = 'import sys, xml.dom.minidom; xml.dom.minidom.parseString(sys.stdin.buffer.read())'
  const { status, stderr } = spawnSync('python3', ['-c', script], { input: xml })
  expect(stderr.toString()).toBe('')
  expect(status).toBe(0)
})

test('refused is a failure, what could not be had an error, hidden is skipped', async () => {
  const summary = await summarize(
    released('good-1.0.whl'),
    refused('DENIED', {
      project: 'bad',
      file: 'bad-1.0.whl',
      message: 'no',
      expected: 'a',
      found: 'b',
    }),
    refused('UNREACHABLE', { project: 'far', message: 'nobody answers' }),
    entry('hidden', { project: 'young', code: 'TOO_YOUNG', message: 'policy hides it' }),
  )
  expect(renderJunit(summary, { problems: ['the proxy died'] })).toBe(
    [
      '<?xml version="1.0" encoding="UTF-8"?>',
      '<testsuites name="tufgate" tests="5" failures="1" errors="2" skipped="1">',
      '  <testsuite name="tufgate" tests="5" failures="1" errors="2" skipped="1">',
      '    <testcase classname="tufgate.session" name="tufgate" time="0"><error type="session" message="the proxy died">the proxy died</error></testcase>',
      '    <testcase classname="tufgate.refused" name="bad-1.0.whl" time="0"><failure type="DENIED" message="no">no\nexpected: a\nfound: b\nrequest: r-1</failure></testcase>',
      '    <testcase classname="tufgate.could not be had" name="project far" time="0"><error type="UNREACHABLE" message="nobody answers">nobody answers\nrequest: r-1</error></testcase>',
      '    <testcase classname="tufgate.hidden" name="project young" time="0"><skipped message="TOO_YOUNG: policy hides it"/></testcase>',
      '    <testcase classname="tufgate.verified" name="good-1.0.whl" time="0"/>',
      '  </testsuite>',
      '</testsuites>',
      '',
    ].join('\n'),
  )
})

test('has as many cases as it says, also of a session in which nothing happened', async () => {
  const xml = renderJunit(await summarizeHostile(), { problems: [] })
  const cases = parse(xml).filter(({ name }) => name === 'testcase')
  expect(xml).toContain(` tests="${cases.length}"`)
  const empty = renderJunit(await summarize(), { problems: [] })
  expect(empty).toContain('tests="0" failures="0" errors="0" skipped="0"')
})
