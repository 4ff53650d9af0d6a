import { readFileSync } from 'node:fs'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeUtf8 } from '../../src/base/bytes.ts'
import { isTufgateError } from '../../src/base/errors.ts'
import { parsePageJson } from '../../src/simple/parse-json.ts'
import { caught } from '../support/caught.ts'
import { fileJson, pageJson, sha256Of, toBytes } from '../support/pages.ts'

const vector = (path: string): Buffer => readFileSync(`test/vectors/${path}`)
const name = 'foo-1.0-py3-none-any.whl'

function parseFile(changes: Record<string, unknown>) {
  const [file] = parsePageJson(pageJson('foo', [fileJson(name, changes)]), 'foo').files
  return file
}

const meta = (version: string) => ({ meta: { 'api-version': version } })

function attempt(bytes: Uint8Array): void {
  try {
    parsePageJson(bytes, 'foo')
  } catch (error) {
    expect(isTufgateError(error) && error.code).toMatch(/^(?:MALFORMED|UNSUPPORTED)$/)
  }
}

describe('pages in JSON', () => {
  it('reads a page as PyPI writes it, with an index key that is not ours to sign', () => {
    const page = parsePageJson(vector('poetry/black.json'), 'black')
    expect(page.files).toHaveLength(4)
    expect(page.files[0]).toEqual({
      filename: 'black-19.10b0-py36-none-any.whl',
      url: 'https://files.pythonhosted.org/packages/fd/bb/ad34bbc93d1bea3de086d7c59e528d4a503ac8fe318bd1fa48605584c3d2/black-19.10b0-py36-none-any.whl',
      hashes: new Map([
        ['md5', 'acc537b0f3f7ebf575616490d7cc14f4'],
        ['sha256', '13001c5b7dbc81137164b43137320a1785e95ce84e4db849279786877ac6d7f6'],
      ]),
      size: 97525,
      uploadTime: '2019-10-28T23:53:54.000711Z',
      requiresPython: '>=3.6',
      coreMetadata: new Map([
        ['sha256', '256c27c1f5cc5c7bad6049ff2c339ac9419f5fc00eddbb895cf4780d7b6752b3'],
      ]),
      provenance: null,
      extra: new Map(),
    })
    expect(page.files[1]?.coreMetadata).toBeUndefined()
    expect(page.status).toEqual({ status: 'active' })
    expect(page.skipped).toEqual([])
  })

  it.each([
    ['poetry/ipython.json', 'ipython', 8],
    ['poetry/requests.json', 'requests', 12],
    ['poetry/invalid-version.json', 'poetry', 2],
    ['pypi-simple/argset-700.json', 'argset', 2],
    ['pypi-simple/argset-relative.json', 'argset', 2],
    ['unearth/black.json', 'black', 8],
  ])('reads %s', (path, project, files) => {
    expect(parsePageJson(vector(path), project).files).toHaveLength(files)
  })

  it('reads API 1.2 and leaves out what would widen trust (PEP 708)', () => {
    const page = parsePageJson(vector('pypi-simple/argset-708.json'), 'argset')
    expect(page.extra).toEqual(new Map())
    expect(page.status).toEqual({ status: 'deprecated', reason: 'Dev is tired of project' })
    expect(page.versions).toEqual(['0.1.0'])
  })

  it('tells yanked with and without a reason from not yanked (PEP 592)', () => {
    const files = parsePageJson(vector('pypi-simple/yanked.json'), 'yanked').files
    expect(files.map((file) => file.yanked)).toEqual(['', 'not good'])
    expect(files.map((file) => file.requiresPython)).toEqual([undefined, undefined])
    expect(parseFile({ yanked: false })?.yanked).toBeUndefined()
    // PEP 691 goes by truth: pip does not take an empty text for yanked.
    expect(parseFile({ yanked: '' })?.yanked).toBeUndefined()
    expect(parseFile({ yanked: null })?.yanked).toBeUndefined()
  })

  it.each(['core-metadata', 'dist-info-metadata', 'data-dist-info-metadata'])(
    'understands %s (PEP 658 and 714)',
    (member) => {
      const digest = sha256Of('b')
      expect(parseFile({ [member]: { sha256: digest.toUpperCase() } })?.coreMetadata).toEqual(
        new Map([['sha256', digest]]),
      )
      expect(parseFile({ [member]: true })?.coreMetadata).toEqual(new Map())
      expect(parseFile({ [member]: false })?.coreMetadata).toBeUndefined()
      expect(parseFile({ [member]: null })?.coreMetadata).toBeUndefined()
    },
  )

  it('prefers core-metadata to its older name (PEP 714)', () => {
    const file = parseFile({ 'core-metadata': false, 'dist-info-metadata': true })
    expect(file?.coreMetadata).toBeUndefined()
  })

  it('keeps what API 1.4 does not know, but no key of the index itself in a file', () => {
    const page = parsePageJson(
      pageJson('foo', [fileJson(name, { variants: ['a'], _private: 1 })], {
        namespaces: null,
        '_last-serial': 7,
      }),
      'foo',
    )
    expect(page.extra).toEqual(
      new Map<string, unknown>([
        ['namespaces', null],
        ['_last-serial', 7],
      ]),
    )
    expect(page.files[0]?.extra).toEqual(new Map([['variants', ['a']]]))
  })

  it('drops unknown members that could not be signed', () => {
    const bytes = encodeUtf8(
      `{"meta":{"api-version":"1.4"},"name":"foo","files":[],"score":0.5,"big":1e300,` +
        `"lone":"\\ud800","\\ud800":1,"deep":${'['.repeat(100_000)}${']'.repeat(100_000)},"kept":1}`,
    )
    expect([...parsePageJson(bytes, 'foo').extra.keys()]).toEqual(['kept'])
  })

  it('takes a size of -0, which canonical JSON cannot carry, for 0', () => {
    const bytes = encodeUtf8(
      `{"meta":{"api-version":"1.4"},"name":"foo","files":[` +
        `{"filename":"foo-1.0.tar.gz","url":"u","hashes":{},"size":-0}]}`,
    )
    expect(Object.is(parsePageJson(bytes, 'foo').files[0]?.size, 0)).toBe(true)
  })

  it('takes __proto__ and constructor for members like any other', () => {
    const bytes = encodeUtf8(
      `{"meta":{"api-version":"1.4"},"name":"constructor","constructor":{"a":1},"files":[` +
        `{"filename":"constructor-1.0.tar.gz","url":"u","hashes":{},"toString":1,"__proto__":{"size":5}}]}`,
    )
    const page = parsePageJson(bytes, 'constructor')
    expect(page.extra).toEqual(new Map([['constructor', { a: 1 }]]))
    expect(page.files[0]?.size).toBeUndefined()
    expect(page.files[0]?.extra).toEqual(new Map([['toString', 1]]))
    expect({}).not.toHaveProperty('size')
  })

  it('makes free text safe to show: no control characters, no lone surrogates', () => {
    const raw = 'bad\u0000\u001B[31m\r\nrelease\u0085\u2028\uD800<b>'
    expect(parseFile({ yanked: raw })?.yanked).toBe('bad  [31m  release  \uFFFD<b>')
    expect(parseFile({ 'requires-python': '>=3\n' })?.requiresPython).toBe('>=3 ')
  })

  it('takes a time or a URL that is none for absent', () => {
    expect(parseFile({ 'upload-time': 'yesterday' })?.uploadTime).toBeUndefined()
    expect(parseFile({ 'upload-time': '2026-13-01T00:00:00Z' })?.uploadTime).toBeUndefined()
    expect(parseFile({ provenance: 'javascript:alert(1)' })?.provenance).toBeUndefined()
    expect(parseFile({ provenance: '/relative' })?.provenance).toBeUndefined()
    expect(parseFile({})).not.toHaveProperty('provenance')
  })

  it('splits a digest off the URL, and leaves the link out where it contradicts `hashes`', () => {
    const url = 'https://a.example/foo-1.0.tar.gz'
    const good = fileJson('foo-1.0.tar.gz', { url: `${url}#sha256=${sha256Of('a')}` })
    const bad = fileJson('foo-1.0.tar.gz', { url: `${url}#sha256=${sha256Of('b')}` })
    const bare = fileJson('foo-1.0.tar.gz', { url: `${url}#egg=foo`, hashes: {} })
    const page = parsePageJson(pageJson('foo', [good, bad, bare]), 'foo')
    expect(page.files.map((file) => [file.url, file.hashes.get('sha256')])).toEqual([
      [url, sha256Of('a')],
      [url, undefined],
    ])
    expect(page.skipped).toEqual([
      { link: 'foo-1.0.tar.gz', problem: 'the digest in its URL is another one' },
    ])
  })

  it('understands any API 1.x, and no other major version (PEP 629)', () => {
    expect(parsePageJson(pageJson('foo', [], meta('1.99')), 'foo').files).toEqual([])
    const error = caught(() => parsePageJson(pageJson('foo', [], meta('2.0')), 'foo'))
    expect(error.code).toBe('UNSUPPORTED')
    expect(error.message).toBe(
      'the index page of foo has API version 2.0, and only 1.x is understood',
    )
    expect(error.facts).toMatchObject({ expected: '1.x', found: '2.0' })
  })

  it.each([
    ['another project', { name: 'bar' }, 'the index page of foo is the page of another project'],
    ['no name', { name: undefined }, 'name: expected text, found nothing'],
    ['a name that only normalizes to it', { name: '-foo' }, 'the page of another project'],
    ['no API version', { meta: {} }, 'meta.api-version: expected text, found nothing'],
    ['a number for a version', { meta: { 'api-version': 1.4 } }, 'expected text, found 1.4'],
    ['a version that is none', { meta: { 'api-version': '1.4x' } }, '"1.4x" is no API version'],
    ['files by name', { files: {} }, 'files: expected a list, found an object'],
    ['versions that are none', { versions: [1] }, 'versions.[0]: expected text, found 1'],
    ['a status that is none', { 'project-status': 'active' }, 'project-status: expected an object'],
  ])('refuses a page with %s', (_, changes, message) => {
    const error = caught(() => parsePageJson(pageJson('foo', [], changes), 'foo'))
    expect(error.code).toBe('MALFORMED')
    expect(error.message).toContain(message)
    expect(error.facts.next).toBeDefined()
  })

  it.each([
    ['filename', 1, 'filename: expected text, found 1'],
    ['url', undefined, 'url: expected text, found nothing'],
    ['url', 'x'.repeat(3000), 'url: a URL of 3000 characters'],
    ['filename', 'x'.repeat(3000), 'filename: a file name of 3000 characters'],
    ['yanked', 'x'.repeat(5000), 'yanked: a text of 5000 characters'],
    ['hashes', undefined, 'hashes: expected an object, found nothing'],
    ['hashes', { sha256: 'abc' }, 'hashes.sha256: not a digest'],
    ['hashes', { sha256: 'g'.repeat(64) }, 'hashes.sha256: not a digest'],
    ['hashes', { 'sha256=': 'a'.repeat(64) }, 'not the name of an algorithm'],
    ['size', -1, 'size: expected an integer of at least 0, found -1'],
    ['size', 1.5, 'size: expected an integer of at least 0, found 1.5'],
    ['core-metadata', { sha256: 5 }, 'core-metadata.sha256: not a digest'],
    ['requires-python', 3, 'requires-python: expected text, found 3'],
    ['gpg-sig', 'no', 'gpg-sig: expected true or false, found "no"'],
  ])(
    'leaves out a file with a bad %s, tells why, and keeps the others',
    (member, value, problem) => {
      const bad = fileJson(name, { [member]: value })
      const page = parsePageJson(pageJson('foo', [bad, fileJson('foo-2.0.tar.gz')]), 'foo')
      expect(page.files.map(({ filename }) => filename)).toEqual(['foo-2.0.tar.gz'])
      expect(page.skipped).toHaveLength(1)
      expect(page.skipped[0]?.problem).toContain(problem)
      const link = member === 'filename' ? 'an entry without a file name' : name
      expect(page.skipped[0]?.link).toBe(link)
    },
  )

  it('leaves out what is no file at all, and a file with more digests than there are algorithms', () => {
    const hashes = Object.fromEntries(
      Array.from({ length: 17 }, (_, at) => [`h${at}`, 'a'.repeat(64)]),
    )
    const page = parsePageJson(pageJson('foo', [null, fileJson(name, { hashes })]), 'foo')
    expect(page.skipped.map(({ problem }) => problem)).toEqual([
      'expected an object, found null',
      'hashes: 17 digests for one file',
    ])
  })

  it('A23: one bad entry does not keep the releases beside it from being read', () => {
    const page = parsePageJson(pageJson('foo', [{}, fileJson('foo-2.0.tar.gz')]), 'foo')
    expect(page.files).toHaveLength(1)
  })

  it('refuses more files than a page may have', () => {
    const many = Array.from({ length: 200_001 }, () => 0)
    expect(caught(() => parsePageJson(pageJson('foo', many), 'foo')).message).toContain(
      '200001 files are more than 200000',
    )
  })

  it('throws nothing but errors with a code, whatever the bytes', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), attempt))
    fc.assert(fc.property(fc.jsonValue().map(toBytes), attempt))
    const members = fc.constantFrom(...Object.keys(fileJson(name)), 'core-metadata', 'provenance')
    const changed = fc.tuple(members, fc.jsonValue())
    fc.assert(
      fc.property(changed, ([member, value]) => {
        attempt(pageJson('foo', [fileJson(name, { [member]: value })]))
      }),
      { numRuns: 1000 },
    )
  })
})
