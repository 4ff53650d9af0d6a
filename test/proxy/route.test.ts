import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { TufgateError } from '../../src/base/errors.ts'
import { parseRoute } from '../../src/proxy/route.ts'

const isOwnHost = (authority: string): boolean => authority === 'localhost:3141'
const route = (target: string) => parseRoute(target, { isOwnHost, maxTargetBytes: 8000 })

function refusal(target: string): string {
  try {
    return `answered: ${JSON.stringify(route(target))}`
  } catch (error) {
    if (!(error instanceof TufgateError)) throw error
    return `${error.code}: ${error.message}`
  }
}

describe('pages', () => {
  test('knows the project of a normalized page', () => {
    expect(route('/simple/foo-bar/')).toEqual({ kind: 'project', project: 'foo-bar' })
  })

  test('knows the list of projects', () => {
    expect(route('/simple/')).toEqual({ kind: 'project-list' })
  })

  test.each([
    ['/simple', 'simple/'],
    ['/simple/foo', 'foo/'],
    ['/simple/Foo.Bar', 'foo-bar/'],
    ['/simple/Foo_Bar/', '../foo-bar/'],
    ['/simple/foo--bar/', '../foo-bar/'],
    ['/simple/%46oo/', '../foo/'],
    ['/-', '-/'],
  ])('sends %s on to %s, relative, so that it works behind a prefix', (target, location) => {
    expect(route(target)).toEqual({ kind: 'redirect', location })
  })

  test('ignores the query of a page, as PEP 691 allows', () => {
    expect(route('/simple/foo/?format=application/json')).toEqual({
      kind: 'project',
      project: 'foo',
    })
  })

  test.each([
    '/',
    '/simple/foo/bar/',
    '/simple/foo//',
    '/simple//',
    '//simple/foo/',
    '/simple/-foo/',
    '/simple/f%C3%B6o/',
    '/Simple/foo/',
    '/-/health/',
    '/-/metrics/all',
    '/-/status',
    '/-/refused',
    '/-/refused/',
    '/-/refused/r-abc',
    '/-/refused/r-AAAAAAAA',
    '/-/refused/r-aaaaaaaa/',
  ])('does not know %s', (target) => {
    expect(refusal(target)).toMatch(/^NOT_FOUND: /)
  })
})

describe('files', () => {
  test('decodes each segment once', () => {
    expect(route('/files/foo/files.test/a%20b/foo-1%211.0%2Bloc.whl')).toEqual({
      kind: 'file',
      project: 'foo',
      path: 'files.test/a b/foo-1!1.0+loc.whl',
    })
  })

  test('reads a host with a port, quoted as pip does or not', () => {
    const path = '127.0.0.1:8080/foo-1.0.tar.gz'
    expect(route('/files/foo/127.0.0.1:8080/foo-1.0.tar.gz')).toMatchObject({ path })
    expect(route('/files/foo/127.0.0.1%3A8080/foo-1.0.tar.gz')).toMatchObject({ path })
  })

  test('leaves what was encoded twice encoded once', () => {
    expect(route('/files/foo/files.test/%252e%252e/x')).toMatchObject({
      path: 'files.test/%2e%2e/x',
    })
    expect(route('/files/foo/files.test/a%252Fb')).toMatchObject({ path: 'files.test/a%2Fb' })
  })

  test.each([
    ['/files/foo/files.test/x?y', 'NOT_FOUND: file URLs have no query'],
    ['/files/foo/files.test/x?', 'NOT_FOUND: file URLs have no query'],
    ['/files/Foo/files.test/x', 'NOT_FOUND: the project of a file URL is not normalized'],
    ['/files/foo/files.test', 'NOT_FOUND: a file URL has the form'],
    ['/files/foo/files.test/', 'NOT_FOUND: a file URL has the form'],
    ['/files/foo//x', 'NOT_FOUND: a file URL has the form'],
    ['/files/foo/files.test/a//x', 'NOT_FOUND: a file URL has the form'],
    ['/files/foo', 'NOT_FOUND: a file URL has the form'],
    ['/files', 'NOT_FOUND: the project'],
  ])('refuses %s', (target, message) => {
    expect(refusal(target)).toContain(message)
  })
})

describe('targets that could be read in two ways', () => {
  test.each([
    ['an encoded slash', '/files/foo/files.test/a%2Fb'],
    ['an encoded slash in lower case', '/files/foo/files.test/a%2fb'],
    ['an encoded backslash', '/files/foo/files.test/a%5Cb'],
    ['a backslash', String.raw`/files/foo/files.test/a\b`],
    ['NUL', '/files/foo/files.test/a%00.whl'],
    ['a line feed', '/simple/foo%0A/'],
    ['DEL', '/simple/foo%7F/'],
    ['dot segments', '/files/foo/../../etc/passwd'],
    ['encoded dot segments', '/files/foo/%2e%2e/x'],
    ['half encoded dot segments', '/files/foo/.%2E/x'],
    ['a single dot', '/simple/./foo/'],
    ['8-bit bytes', '/simple/f\u00f6o/'],
    ['overlong UTF-8', '/simple/%C0%AF/'],
    ['UTF-8 that is cut short', '/simple/%C3/'],
    ['a surrogate', '/simple/%ED%A0%80/'],
    ['half an escape', '/simple/foo%2'],
    ['an escape that is none', '/simple/%zz/'],
    ['a fragment', '/simple/foo/#x'],
    ['a blank', '/simple/fo o/'],
    ['a quote', '/simple/"foo"/'],
    ['more than 8 kB', `/simple/${'a'.repeat(8001)}/`],
  ])('refuses %s', (_, target) => {
    expect(refusal(target)).toMatch(/^BAD_REQUEST: the request target /)
  })
})

describe('forms of the target', () => {
  test('answers the absolute form with a host of its own', () => {
    expect(route('http://localhost:3141/simple/foo/')).toEqual({ kind: 'project', project: 'foo' })
  })

  test.each([
    'http://pypi.org/simple/foo/',
    'http://localhost:3141@evil.test/simple/foo/',
    'http://user@localhost:3141/simple/foo/',
    'https://localhost:3141/simple/foo/',
    'ftp://localhost:3141/x',
    'http:///simple/foo/',
    'http://localhost:3141',
    'localhost:3141',
    'simple/foo/',
    '*',
    '',
  ])('refuses %s', (target) => {
    expect(refusal(target)).toMatch(/^BAD_REQUEST: the request target /)
  })
})

describe('any text at all', () => {
  const targets = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc
      .array(
        fc.constantFrom(
          'simple',
          'files',
          '-',
          'foo',
          '..',
          '.',
          '',
          '%2e',
          '%2F',
          '%',
          '?',
          'a b',
          '%00',
          'é',
        ),
      )
      .map((parts) => `/${parts.join('/')}`),
  )

  test('gives a route or a coded refusal, never another error', () => {
    fc.assert(
      fc.property(targets, (target) => {
        expect(refusal(target)).toMatch(/^(?:answered|BAD_REQUEST|NOT_FOUND): /)
      }),
    )
  })

  test('never gives a file path with a dot segment, an empty segment or a control character', () => {
    fc.assert(
      fc.property(targets, (rest) => {
        try {
          const found = route(`/files/foo${rest.startsWith('/') ? rest : `/${rest}`}`)
          if (found.kind !== 'file') return
          for (const segment of found.path.split('/')) {
            expect(['', '.', '..']).not.toContain(segment)
            // eslint-disable-next-line no-control-regex -- they are what must not be there
            expect(segment).not.toMatch(/[\\\u0000-\u001f]/)
          }
        } catch (error) {
          expect(error).toBeInstanceOf(TufgateError)
        }
      }),
    )
  })
})
