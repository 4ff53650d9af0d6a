/** Attacks on the pages and records, by the numbers of the list of attacks where they have one. */

import { describe, expect, it } from 'vitest'
import { encodeUtf8 } from '../../src/base/bytes.ts'
import { findFileFault } from '../../src/simple/file-url.ts'
import { parsePageHtml } from '../../src/simple/parse-html.ts'
import { parsePageJson } from '../../src/simple/parse-json.ts'
import { parseRecord } from '../../src/simple/record.ts'
import { renderPage } from '../../src/simple/render.ts'
import { resolveUrls } from '../../src/simple/resolve-urls.ts'
import { rewritePage } from '../../src/simple/rewrite.ts'
import { caught } from '../support/caught.ts'
import { fileJson, host, pageJson, sha256Of } from '../support/pages.ts'

const name = 'foo-1.0-py3-none-any.whl'

function refusal(...files: readonly unknown[]) {
  const error = caught(() => parseRecord(pageJson('foo', files), 'foo'))
  expect(error.code).toBe('RECORD_REFUSED')
  expect(error.facts.next).toContain('mirror')
  return error.message
}

const refusedUrl = (url: string): string => refusal(fileJson(name, { url }))

describe('attacks on records', () => {
  it('A7: a .metadata without a signed sha256 is neither offered nor served', () => {
    const record = parseRecord(pageJson('foo', [fileJson(name, { 'core-metadata': true })]), 'foo')
    expect([...record.byPath.values()].map((served) => served.kind)).toEqual(['file'])
    const page = rewritePage(record, new Map(), { showHidden: false })
    for (const format of ['json-v1', 'text-html'] as const) {
      expect(Buffer.from(renderPage(page, format)).toString()).not.toContain('metadata')
    }
  })

  it('A23: a link that is too long for a record once it is percent-encoded is a fault of this link alone', () => {
    const url = `https://${host}/${encodeURIComponent('\u00e9'.repeat(700))}/${name}`
    const [file] = parsePageJson(pageJson('foo', [fileJson(name)]), 'foo').files
    expect(file && findFileFault({ ...file, url }, 'foo')).toMatch(/^a URL of 4\d+ characters$/)
  })

  it.each(['http://../other/x/', 'http://./other/x/', 'https://..:8080/../x/'])(
    'A8: a host that a browser takes for a step upwards is refused: %s',
    (folder) => {
      expect(refusedUrl(`${folder}${name}`)).toMatch(/no segment of a path|not in its normal form/)
    },
  )

  it('A7: an entry cannot stand in for the .metadata of another, in either order', () => {
    const wheel = fileJson(name, { 'core-metadata': { sha256: sha256Of('b') } })
    const sidecar = fileJson(`${name}.metadata`)
    expect(refusal(wheel, sidecar)).toContain('its path stands twice')
    expect(refusal(sidecar, wheel)).toContain('its path stands twice')
  })

  it('A8: a file of another project under this name is refused', () => {
    expect(refusal(fileJson('bar-1.0-py3-none-any.whl'))).toBe(
      'the record of foo lists bar-1.0-py3-none-any.whl: not the name of a file of foo',
    )
  })

  it('A8: a file that says one name and lies under another is refused', () => {
    const url = `${host}/packages/aa/bb/evil-9.9-py3-none-any.whl`
    expect(refusedUrl(url)).toContain('its URL ends in another name')
    const page = parsePageJson(pageJson('foo', [fileJson(name, { url })]), 'foo')
    expect(page.files.map((file) => findFileFault(file, 'foo'))).toEqual([
      'its URL ends in another name',
    ])
  })

  it('A18: a link without a hash is no record, so nothing of it is signed or fetched', () => {
    const url = `http://169.254.169.254/latest/${name}`
    const error = caught(() =>
      parseRecord(pageJson('foo', [fileJson(name, { url, hashes: {} })]), 'foo'),
    )
    expect(error.message).toContain('has no sha256')
    const html = `<a href="file:///etc/passwd#${name}">x</a><a href="gopher://10.0.0.1/${name}">x</a>`
    const page = resolveUrls(parsePageHtml(encodeUtf8(html), 'foo'), 'https://pypi.org/simple/foo/')
    expect(page.files).toEqual([])
    expect(page.skipped).toHaveLength(2)
  })

  it('A19: the record of a cannot list the file of a-b', () => {
    for (const filename of ['a-b-1.0.tar.gz', 'a_b-1.0.tar.gz', 'a-2-1.0.zip']) {
      const bytes = pageJson('a', [fileJson(filename)])
      const error = caught(() => parseRecord(bytes, 'a'))
      expect(error.code).toBe('RECORD_REFUSED')
      expect(error.message).toContain('not the name of a file of a')
      expect(
        parseRecord(
          pageJson(filename.slice(0, 3), [fileJson(filename)]),
          filename.slice(0, 3).replace('_', '-'),
        ).files,
      ).toHaveLength(1)
    }
  })

  it.each([
    ['a query', `${host}/p/${name}?token=1`, 'a URL with a query or fragment'],
    ['an empty query', `${host}/p/${name}?`, 'a URL with a query or fragment'],
    ['credentials', `https://a:b@a.example/p/${name}`, 'a URL with credentials'],
    ['another scheme', `file:///p/${name}`, 'the scheme file: is neither http nor https'],
    ['a script', `javascript:0/${name}`, 'the scheme javascript: is neither http nor https'],
    ['no scheme', `//a.example/p/${name}`, 'not an absolute URL'],
    ['a relative link', `../p/${name}`, 'not an absolute URL'],
    ['dot segments', `${host}/p/../${name}`, 'not in its normal form'],
    ['encoded dot segments', `${host}/p/%2e%2E/${name}`, 'not in its normal form'],
    ['a backslash', `${host}/p\\${name}`, 'not in its normal form'],
    ['an encoded slash', `${host}/p%2F${name}`, 'could be read in two ways'],
    ['an encoded backslash', `${host}/p%5c/${name}`, 'could be read in two ways'],
    ['an encoded NUL', `${host}/p%00/${name}`, 'could be read in two ways'],
    ['an encoded line feed', `${host}/p%0d%0a/${name}`, 'could be read in two ways'],
    ['an encoded slash, encoded again', `${host}/p%252Fq/${name}`, 'could be read in two ways'],
    ['dots, encoded twice', `${host}/%252e%252e/${name}`, 'could be read in two ways'],
    ['an empty segment', `${host}/p//${name}`, 'could be read in two ways'],
    ['half a character', `${host}/p%C3/${name}`, 'not percent-encoded UTF-8'],
    ['a percent sign alone', `${host}/p%/${name}`, 'not percent-encoded UTF-8'],
    ['a default port', `https://a.example:443/${name}`, 'not in its normal form'],
    ['capitals in its host', `https://A.example/${name}`, 'not in its normal form'],
    ['a tab', `${host}/p\t/${name}`, 'not in its normal form'],
    ['a space in front', ` ${host}/${name}`, 'not in its normal form'],
  ])('a URL with %s is refused', (_, url, problem) => {
    expect(refusedUrl(url)).toContain(problem)
  })

  it('a refusal says nothing of the credentials or the query of a URL', () => {
    for (const url of [
      `https://u:hunter2@a.example/${name}`,
      `https://b.example/${name}?key=hunter2`,
    ]) {
      const error = caught(() => parseRecord(pageJson('foo', [fileJson(name, { url })]), 'foo'))
      expect(JSON.stringify([error.message, error.facts])).not.toContain('hunter2')
      expect(error.facts.url).toContain('example')
    }
  })

  it('a path that stands twice is refused, in whatever spelling', () => {
    expect(refusal(fileJson(name), fileJson(name))).toContain('its path stands twice')
    const encoded = fileJson(name, { url: `${host}/packages/%61a/bb/${name}` })
    expect(refusal(fileJson(name), encoded)).toContain('its path stands twice')
    // The path of a request has no scheme.
    const plain = fileJson(name, { url: `http://files.pythonhosted.org/packages/aa/bb/${name}` })
    expect(refusal(fileJson(name), plain)).toContain('its path stands twice')
  })

  it('a name with two digests is refused; the same file in two places is not', () => {
    const other = `${host}/packages/cc/dd/${name}`
    const copy = fileJson(name, { url: other })
    expect(parseRecord(pageJson('foo', [fileJson(name), copy]), 'foo').byPath.size).toBe(2)
    const changed = fileJson(name, { url: other, hashes: { sha256: sha256Of('b') } })
    expect(refusal(fileJson(name), changed)).toContain('with two digests')
  })

  it.each([
    ['../foo-1.0.tar.gz', 'dot segments'],
    ['foo-1.0\u0000.tar.gz', 'a NUL'],
    ['foo-1.0\r\nSet-Cookie: a=b.tar.gz', 'a line feed'],
    ['foo-1.0\uD800.tar.gz', 'half a character'],
    ['foo-1.0-p\u202Ey3-none-any.whl', 'text that runs backwards'],
    ['f\u043E\u043E-1.0.tar.gz', 'look-alike letters'],
    ['foo-1.0%2e.tar.gz', 'a percent sign'],
    ['..', 'nothing but dots'],
    ['', 'nothing'],
    [' foo-1.0.tar.gz', 'a space in front'],
  ])('the file name %j is refused: %s', (filename) => {
    const message = refusal({ ...fileJson(name), filename })
    expect(message).toMatch(/: not a file name$/)
    expect(message).toMatch(/^[\x20-\x7e]+$/)
  })

  it('projects and files named like members of every object are nothing special', () => {
    for (const project of ['constructor', 'tostring', 'valueof', 'hasownproperty', 'prototype']) {
      const filename = `${project}-1.0.tar.gz`
      const record = parseRecord(pageJson(project, [fileJson(filename)]), project)
      expect(record.byPath.get('constructor')).toBeUndefined()
      expect(record.byPath.size).toBe(1)
      expect(rewritePage(record, new Map(), { showHidden: false }).versions).toEqual(['1.0'])
    }
    const error = caught(() => parseRecord(pageJson('__proto__', []), '__proto__'))
    expect(error.message).toBe('the record of __proto__ is the page of another project')
    expect(refusal(fileJson('__proto__'))).toContain('not the name of a file of foo')
  })
})

// Quadratic work on these would take minutes: the time limit of a test is what fails then.
describe('huge pages', () => {
  it('are read, rewritten and rendered in one pass each', () => {
    const files = Array.from({ length: 40_000 }, (_, at) => fileJson(`foo-${at}.${at % 7}.zip`))
    const record = parseRecord(pageJson('foo', files), 'foo')
    const ruling = { kind: 'hide', reason: 'too young' } as const
    const hidden = new Map(record.files.slice(9).map((file) => [file, ruling]))
    expect(rewritePage(record, hidden, { showHidden: false }).versions).toHaveLength(9)
    const html = renderPage(rewritePage(record, hidden, { showHidden: true }), 'text-html')
    expect(parsePageHtml(html, 'foo').files).toHaveLength(40_000)
  })

  it.each(['<a ', '<a href="x-1.zip', '<!--', '&', '&#', '<<<', '<script>', '</a', "a='", '<br>'])(
    'of nothing but %j are read in one pass',
    (text) => {
      const bytes = encodeUtf8(text.repeat(200_000))
      expect(parsePageHtml(bytes, 'foo').files.length).toBeLessThan(2)
    },
  )

  it('of links without an end are read in one pass: each ends the one before it', () => {
    const bytes = encodeUtf8('<a href=foo-1.zip>'.repeat(150_000))
    expect(parsePageHtml(bytes, 'foo').files).toHaveLength(150_000)
  })

  it.each(['<svg>', '<div>', '<svg><style>', '<math><b>'])(
    'of %j in one another without an end are refused, not gone over again and again',
    (text) => {
      const error = caught(() => parsePageHtml(encodeUtf8(text.repeat(200_000)), 'foo'))
      expect(error.code).toBe('MALFORMED')
      expect(error.message).toBe(
        'the index page of foo cannot be read: tags nested deeper than 500',
      )
    },
  )
})
