import { describe, expect, test } from 'vitest'
import { buildOwnPipConf, type PipText } from '../../src/installers/own-pip-conf.ts'
import { parsePipConf } from '../../src/installers/pip-conf.ts'

const indexUrl = 'http://127.0.0.1:1/token/simple/'

function file(path: string, text: string): PipText {
  return { kind: 'user', path, text }
}

/** What pip makes of it: empty values count as not set. */
function valuesOf(text: string): Record<string, string> {
  const set = parsePipConf(text).filter(({ value }) => value !== '')
  return Object.fromEntries(set.map(({ section, key, value }) => [`${section}.${key}`, value]))
}

describe('a pip.conf for one command', () => {
  test('names the proxy in each section, so that nothing of another file counts', () => {
    const { text, leftOut } = buildOwnPipConf([], indexUrl)
    expect(valuesOf(text)).toMatchObject({
      'global.index-url': indexUrl,
      'install.index-url': indexUrl,
      'wheel.index-url': indexUrl,
    })
    const install = parsePipConf(text).filter(({ section }) => section === 'install')
    expect(install).toContainEqual(expect.objectContaining({ key: 'extra-index-url', value: '' }))
    expect(leftOut).toEqual([])
  })

  test('keeps what is harmless, the later file before the earlier one', () => {
    const { text } = buildOwnPipConf(
      [
        file('/a', '[global]\ntimeout = 5\nretries = 1\n'),
        file('/b', '[global]\ntimeout = 60\n[install]\nno-binary =\n  foo\n  bar\n'),
      ],
      indexUrl,
    )
    expect(valuesOf(text)).toMatchObject({
      'global.timeout': '60',
      'global.retries': '1',
      'install.no-binary': '\nfoo\nbar',
    })
  })

  test('leaves out what leads past the proxy, in every spelling, and says where it stood', () => {
    const text = '[global]\nEXTRA_INDEX_URL = https://a.example/\n[install]\n--find-links = /x\n'
    const own = buildOwnPipConf([file('/home/ada/pip.conf', text)], indexUrl)
    expect(own.text).not.toContain('a.example')
    expect(valuesOf(own.text)).not.toHaveProperty('install.find-links')
    expect(own.leftOut).toEqual([
      { name: 'extra-index-url', place: '/home/ada/pip.conf', line: 2 },
      { name: 'find-links', place: '/home/ada/pip.conf', line: 4 },
    ])
  })

  test('leaves out what [DEFAULT] puts into other sections', () => {
    const text = '[DEFAULT]\nextra-index-url = https://a.example/\n[install]\n[bogus]\n'
    const own = buildOwnPipConf([file('/a', text)], indexUrl)
    expect(own.text).not.toContain('a.example')
  })

  test('trusted-host would turn the cache on: it is left out', () => {
    const own = buildOwnPipConf([file('/a', '[global]\ntrusted-host = 127.0.0.1\n')], indexUrl)
    expect(valuesOf(own.text)).not.toHaveProperty('global.trusted-host')
  })

  test('leaves out what stands in the section that pip takes for its variables', () => {
    const text = '[:env:]\nextra-index-url = https://a.example/\nconstraint = https://a.example/c\n'
    const own = buildOwnPipConf([file('/a', text)], indexUrl)
    const found = parsePipConf(own.text).filter(({ section }) => section === ':env:')
    expect(found).toContainEqual(expect.objectContaining({ key: 'extra-index-url', value: '' }))
    expect(found).toContainEqual(expect.objectContaining({ key: 'constraint', value: '' }))
    expect(own.text).not.toContain('a.example')
  })

  test('an empty setting leads nowhere: it is no news', () => {
    const own = buildOwnPipConf([file('/a', '[install]\nextra-index-url =\n')], indexUrl)
    expect(own.leftOut).toEqual([])
  })

  test('a constraints file is kept, one at a URL is not', () => {
    const text = '[install]\nconstraint = /c.txt\nbuild-constraint = https://a.example/c.txt\n'
    const own = buildOwnPipConf([file('/a', text)], indexUrl)
    expect(valuesOf(own.text)).toHaveProperty('install.constraint', '/c.txt')
    expect(own.text).not.toContain('a.example')
  })

  test('a value cannot begin a section or a setting of its own', () => {
    const text =
      '[global]\n[x =\n   y]\nlog = a\n   [install]\n   extra-index-url = https://a.example/\n'
    const own = buildOwnPipConf([file('/a', text)], indexUrl)
    expect(valuesOf(own.text)['global.log']).toBe(
      'a\n[install]\nextra-index-url = https://a.example/',
    )
    expect(valuesOf(own.text)).not.toHaveProperty('install.extra-index-url')
  })

  test('of files that pip would not have read nothing counts', () => {
    const text = '[install]\nrequire-hashes = yes\nextra-index-url = https://a.example/\n'
    const own = buildOwnPipConf([{ ...file('/etc/pip.conf', text), isUnwanted: true }], indexUrl)
    const found = parsePipConf(own.text).filter(({ section }) => section === 'install')
    expect(found).toContainEqual(expect.objectContaining({ key: 'require-hashes', value: '' }))
    expect(own.leftOut).toEqual([])
  })

  test('a file that pip would have stopped at is told of', () => {
    const { unreadable } = buildOwnPipConf([file('/a', 'timeout = 5\n')], indexUrl)
    expect(unreadable).toEqual([
      { path: '/a', problem: 'line 1: a setting stands before any [section]' },
    ])
  })
})
