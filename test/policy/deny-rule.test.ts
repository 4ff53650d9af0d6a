import { describe, expect, it } from 'vitest'
import { findDenyRule, parseDenyRule } from '../../src/policy/deny-rule.ts'
import { caught } from '../support/caught.ts'

describe('rules of deny', () => {
  it.each([
    ['foo', { project: 'foo', text: 'foo' }],
    [' Foo.Bar ', { project: 'foo-bar', text: 'Foo.Bar' }],
    ['foo == 1.2', { project: 'foo', versionKey: '0!1.2', text: 'foo == 1.2' }],
    ['constructor==1', { project: 'constructor', versionKey: '0!1', text: 'constructor==1' }],
  ])('reads %j', (raw, rule) => {
    expect(parseDenyRule(raw)).toEqual(rule)
  })

  it.each([
    '',
    '==1',
    'foo==',
    'foo==1.*',
    'foo==1==2',
    'foo===1',
    'foo>=1',
    '../foo',
    'foo=1',
    '*',
  ])('refuses %j and says what it could be', (raw) => {
    const error = caught(() => parseDenyRule(raw))
    expect(error.code).toBe('CONFIG_INVALID')
    expect(error.message).toBe(`${JSON.stringify(raw)} is no rule for deny`)
    expect(error.facts.next).toContain('name==version')
  })

  it.each([
    ['foo', 'foo-9.9.zip', true],
    ['foo==1.2', 'foo-1.2.0-py3-none-any.whl', true],
    ['foo==1.2', 'foo-01.2.tar.gz', true],
    ['foo==1.2rc1', 'foo-1.2.c1.tar.gz', true],
    ['foo==1.2', 'foo-1.2.1.tar.gz', false],
    ['foo==1.2', 'foo-1.2.post1.tar.gz', false],
    // PEP 440: without a local part in the rule that of the file does not count.
    ['foo==1.2', 'foo-1.2+cu118-py3-none-any.whl', true],
    ['foo==1.2+cu118', 'foo-1.2+CU118-py3-none-any.whl', true],
    ['foo==1.2+cu118', 'foo-1.2-py3-none-any.whl', false],
    ['foo==1.2', 'foo-1.2.win32.exe', true],
    ['foo==1.2', 'foo-1.2-1.src.rpm', true],
    // Nobody knows which version it is: refused rather than let through.
    ['foo==1.2', 'foo-1.2-variants.json', true],
    ['foo==1.2', 'foo-2004x.tar.gz', true],
    ['bar', 'foo-1.2.zip', false],
  ])('%s meets %s: %s', (rule, filename, isDenied) => {
    const found = findDenyRule([parseDenyRule(rule)], 'foo', filename)
    expect(found !== undefined).toBe(isDenied)
  })

  it('names the first rule that meets', () => {
    const rules = ['foo==1', 'foo==2', 'foo'].map(parseDenyRule)
    expect(findDenyRule(rules, 'foo', 'foo-2.zip')?.text).toBe('foo==2')
    expect(findDenyRule(rules, 'foo', 'foo-3.zip')?.text).toBe('foo')
  })
})
