import { describe, expect, test } from 'vitest'
import { findProjectsOf } from '../../src/simple/filename-projects.ts'

describe('whose file a name may be', () => {
  test.each([
    ['foo-1.0-py3-none-any.whl', ['foo']],
    ['Foo_Bar-1.0-1build-py3-none-any.whl', ['foo-bar']],
    ['foo-1.0.tar.gz', ['foo']],
    ['zope.interface-4.0.tar.gz', ['zope-interface']],
    ['a-b-1.0.tar.gz', ['a-b']],
    ['a-1.0-2.tar.gz', ['a-1-0', 'a']],
    ['foo-1.0-py3.11.egg', ['foo']],
    ['foo_1.0-1_all.deb', ['foo']],
  ])('%s is of %j', (filename, projects) => {
    expect(findProjectsOf(filename)).toEqual(projects)
  })

  test.each([
    'foo.whl',
    'README',
    'foo-1.0.txt',
    '-1.0.tar.gz',
    '../foo-1.0.tar.gz',
    'foo-1.0\u0000.tar.gz',
    '',
  ])('%j is of nobody', (filename) => {
    expect(findProjectsOf(filename)).toEqual([])
  })

  test('has at most eight readings', () => {
    expect(findProjectsOf(`${'a-1-'.repeat(40)}2.0.tar.gz`).length).toBeLessThanOrEqual(8)
  })
})
