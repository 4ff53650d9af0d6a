import { readFileSync } from 'node:fs'
import * as fc from 'fast-check'
import { defaultTreeAdapter, parse, type DefaultTreeAdapterTypes } from 'parse5'
import { describe, expect, it } from 'vitest'
import { encodeUtf8 } from '../../src/base/bytes.ts'
import { isTufgateError } from '../../src/base/errors.ts'
import { parsePageHtml } from '../../src/simple/parse-html.ts'
import { caught } from '../support/caught.ts'
import { sha256Of } from '../support/pages.ts'

const vector = (path: string): Buffer => readFileSync(`test/vectors/${path}`)
const read = (html: string) => parsePageHtml(encodeUtf8(html), 'foo')
const digest = sha256Of('a')

function readAnchor(attributes: string, href = 'foo-1.0.tar.gz') {
  return read(`<a href="${href}" ${attributes}>x</a>`).files[0]
}

/** What a whole HTML 5 parser finds: the links of the anchors, in order. */
function anchorsOf(html: string): string[] {
  const found: string[] = []
  const walk = (node: DefaultTreeAdapterTypes.Node): void => {
    if (defaultTreeAdapter.isElementNode(node) && node.tagName === 'a') {
      found.push(node.attrs.find(({ name }) => name === 'href')?.value ?? '')
    }
    if ('childNodes' in node) node.childNodes.forEach(walk)
  }
  walk(parse(html))
  return found
}

const pages = [
  'pypi-simple/qypi_base.html',
  'pypi-simple/qypi_repo_version.html',
  'pypi-simple/devpi_devpi.html',
  'mousebender/archive_links.aicoe-tensorflow.html',
  'mousebender/archive_links.numpy-piwheels.html',
  'mousebender/archive_links.pytorch.html',
  'poetry/relative.html',
  'poetry/futures-partial-yank.html',
  'unearth/black.html',
  'pip/yanked.html',
  'pip/datarequire.html',
]

function attempt(bytes: Uint8Array): void {
  try {
    parsePageHtml(bytes, 'foo')
  } catch (error) {
    expect(isTufgateError(error) && error.code).toMatch(/^(?:MALFORMED|UNSUPPORTED)$/)
  }
}

describe('pages in HTML', () => {
  it.each(pages)('finds in %s the links that parse5 finds', (path) => {
    const page = parsePageHtml(vector(path), 'any')
    const links = anchorsOf(vector(path).toString())
    expect(page.files.length + page.skipped.length).toBe(links.length)
    const names = links.filter((link) => !link.startsWith('?') && !link.endsWith('/'))
    expect(page.files.map((file) => file.url)).toEqual(names.map((link) => link.split('#')[0]))
  })

  it('reads attributes as PyPI writes them, yanked with a reason and without', () => {
    const page = parsePageHtml(vector('pypi-simple/qypi_mixed.html'), 'qypi')
    expect(page.files[0]).toEqual({
      filename: 'qypi-0.1.0-py3-none-any.whl',
      url: 'https://files.pythonhosted.org/packages/82/fc/9e25534641d7f63be93079bc07fa92bab136ddf5d4181059a1308a346f96/qypi-0.1.0-py3-none-any.whl',
      hashes: new Map([
        ['sha256', 'da69d28dcd527c0e372b3fa7b92fc333b327f8470175f035abc4e351b539189f'],
      ]),
      yanked: 'Metadata was smelly',
      extra: new Map(),
    })
    expect(page.files.slice(1).map((file) => file.yanked)).toContain('')
    expect(page.files.map((file) => file.gpgSig)).toContain(true)
    expect(page.files[1]?.requiresPython).toBe('~=3.4')
  })

  it('resolves entities in attributes, and takes an empty requirement for none', () => {
    const page = parsePageHtml(vector('pip/datarequire.html'), 'fakepackage')
    expect(page.files.map((file) => file.requiresPython)).toEqual([
      undefined,
      '<2.7',
      '>=2.7,<3',
      '>=3.3',
      '><X.y.z',
    ])
    expect(page.files[0]?.hashes).toEqual(new Map([['md5', '0'.repeat(32)]]))
  })

  it('reports the links of a folder listing that name no file', () => {
    const page = parsePageHtml(
      vector('mousebender/archive_links.aicoe-tensorflow.html'),
      'tensorflow',
    )
    expect(page.skipped[0]).toEqual({ link: '?...', problem: 'a link without a file name' })
    expect(page.files[0]?.filename).toBe('tensorflow-1.12.3-cp27-cp27mu-linux_x86_64.whl')
  })

  it('reads the first base that has an address', () => {
    expect(parsePageHtml(vector('pypi-simple/qypi_base.html'), 'qypi').base).toBe(
      'https://files.pythonhosted.org/packages/',
    )
    const html = '<base target=x><a href="f-1.0.zip"></a><base href=" /one/ "><base href="/two/">'
    expect(read(html).base).toBe('/one/')
    expect(read('<a href="f-1.0.zip">')).not.toHaveProperty('base')
  })

  it('reads metadata, provenance, size and time', () => {
    expect(
      readAnchor(
        `data-dist-info-metadata="sha256=${digest.toUpperCase()}" data-size="12" data-provenance="https://a.example/p" data-upload-time="2026-01-02T03:04:05.000000Z"`,
      ),
    ).toMatchObject({
      coreMetadata: new Map([['sha256', digest]]),
      size: 12,
      provenance: 'https://a.example/p',
      uploadTime: '2026-01-02T03:04:05.000000Z',
    })
    expect(readAnchor('data-core-metadata="true"')?.coreMetadata).toEqual(new Map())
    expect(readAnchor('data-core-metadata="false"')?.coreMetadata).toBeUndefined()
    expect(readAnchor('data-core-metadata="sha256=xyz"')?.coreMetadata).toEqual(new Map())
    expect(readAnchor('data-size="1e9" data-upload-time="now"')).not.toHaveProperty('size')
    expect(readAnchor('data-provenance="javascript:0"')).not.toHaveProperty('provenance')
  })

  it.each([' ', '\u{fffd}', 'a b', 'x'.repeat(33)])(
    'takes metadata with a digest by %j, which is no name of an algorithm, for metadata without one',
    (name) => {
      const file = readAnchor(`data-core-metadata="${name}=a1a1a1a1"`)
      expect(file?.coreMetadata).toEqual(new Map())
    },
  )

  it('prefers data-core-metadata to its older name (PEP 714)', () => {
    const file = readAnchor('data-dist-info-metadata="true" data-core-metadata="false"')
    expect(file?.coreMetadata).toBeUndefined()
  })

  it.each([
    ['foo-1.0.tar.gz', 'foo-1.0.tar.gz'],
    ['a/b/foo-1.0.tar.gz?token=1', 'foo-1.0.tar.gz'],
    [`https://a.example/foo-1%211.0.tar.gz#sha256=${digest}`, 'foo-1!1.0.tar.gz'],
    ['https://a.example/..%2ffoo-1.0.tar.gz', '../foo-1.0.tar.gz'],
  ])('names the file of %s by the last segment, decoded once', (href, filename) => {
    expect(readAnchor('', href)?.filename).toBe(filename)
  })

  it.each(['../', '', '#top', '?a=b', 'mailto:a@b', 'javascript:x/foo-1.0.tar.gz', 'a/%ff'])(
    'leaves out a link to %j',
    (href) => {
      const page = read(`<a href="${href}">foo-1.0.tar.gz</a>`)
      expect(page.files).toEqual([])
      expect(page.skipped.map(({ problem }) => problem)).toEqual(['a link without a file name'])
    },
  )

  it('reports a link without its secrets, on one line', () => {
    const { skipped } = read(
      '<a href="https://user:hunter2@a.example/x/?token=hunter2&#10;\u202E">',
    )
    expect(skipped[0]?.link).toBe('https://a.example/x/?...')
  })

  it('takes no digest from a fragment that has none, and the first of two', () => {
    expect(readAnchor('', 'f-1.zip#egg=foo')?.hashes.size).toBe(0)
    expect(readAnchor('', 'f-1.zip#sha256=abc')?.hashes.size).toBe(0)
    const two = `f-1.zip#sha256=${digest}&sha256=${sha256Of('b')}&md5=${'c'.repeat(32)}`
    expect([...(readAnchor('', two)?.hashes ?? [])]).toEqual([
      ['sha256', digest],
      ['md5', 'c'.repeat(32)],
    ])
  })

  it('reads status and version from the head, and not what only looks like it', () => {
    const page = read(
      '<meta name="pypi:repository-version" content="1.4"><meta name="api-version" content="2">' +
        '<meta name="pypi:project-status" content="archived">' +
        '<meta name="pypi:project-status-reason" content="moved &amp; gone">',
    )
    expect(page.status).toEqual({ status: 'archived', reason: 'moved & gone' })
    const error = caught(() => read('<meta name="pypi:repository-version" content="2.0">'))
    expect(error.code).toBe('UNSUPPORTED')
    expect(error.message).toBe(
      'the index page of foo has API version 2.0, and only 1.x is understood',
    )
  })

  it('finds no anchors in comments, scripts, styles, titles and attributes', () => {
    const anchor = '<a href=evil-1.0.zip>'
    const html = `<!--${anchor}--><script>"${anchor}"</script><style>${anchor}</style>
      <title>${anchor}</title><p title='${anchor}'><textarea>${anchor}</textarea>`
    expect(read(html).files).toEqual([])
    expect(anchorsOf(html)).toEqual([])
  })

  it('takes the first of an attribute that stands twice', () => {
    expect(read('<a href="one-1.zip" href="two-1.zip">').files[0]?.url).toBe('one-1.zip')
  })

  it('refuses what is not UTF-8', () => {
    const error = caught(() => parsePageHtml(new Uint8Array([0x3c, 0x61, 0xff]), 'foo'))
    expect(error.code).toBe('MALFORMED')
    expect(error.message).toMatch(/^the index page of foo cannot be read: /)
  })

  it('A23: leaves out a link with a text that is too long, tells why, and keeps the others', () => {
    const long = 'x'.repeat(5000)
    const page = read(
      `<a href="foo-1.0.zip" data-yanked="${long}">x</a><a href="${long}.zip">x</a><a href="foo-2.0.zip">x</a>`,
    )
    expect(page.files.map(({ filename }) => filename)).toEqual(['foo-2.0.zip'])
    expect(page.skipped.map(({ problem }) => problem)).toEqual([
      expect.stringContaining('5000 characters') as string,
      expect.stringContaining('5004 characters') as string,
    ])
    expect(page.skipped[0]?.link).toBe('foo-1.0.zip')
  })

  it('refuses more links than a page may have', () => {
    const html = '<a href=f-1.zip></a>'.repeat(200_001)
    expect(caught(() => read(html)).message).toContain('more than 200000 links')
  })

  it('throws nothing but errors with a code, whatever the bytes', () => {
    const soup = `<a |href=|"|'|>|</a>|<base |<meta name="pypi:|content=|&#0;|repository-version"|<!--|-->|<script>|\0|&#x110000;|data-yanked|%zz`
    const tokens = fc.constantFrom(...soup.split('|'))
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), attempt))
    fc.assert(
      fc.property(fc.array(tokens, { maxLength: 40 }), (parts) =>
        attempt(encodeUtf8(parts.join(''))),
      ),
      { numRuns: 1000 },
    )
  })
})
