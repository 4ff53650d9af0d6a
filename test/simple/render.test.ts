import * as fc from 'fast-check'
import { defaultTreeAdapter, parse, type DefaultTreeAdapterTypes } from 'parse5'
import { describe, expect, it } from 'vitest'
import { decodeUtf8 } from '../../src/base/bytes.ts'
import type { ProjectFile, ProjectPage } from '../../src/simple/model.ts'
import { parsePageHtml } from '../../src/simple/parse-html.ts'
import { parsePageJson } from '../../src/simple/parse-json.ts'
import { renderPage } from '../../src/simple/render.ts'
import { anyExtra, anyPage, evilTexts, recordFile, sha256Of } from '../support/pages.ts'

const htmlOf = (page: ProjectPage): string => decodeUtf8(renderPage(page, 'text-html'))
const jsonOf = (page: ProjectPage): unknown => JSON.parse(decodeUtf8(renderPage(page, 'json-v1')))
const empty: ProjectPage = { name: 'foo', files: [], versions: [], extra: new Map() }

/** All elements that a browser sees, with their attributes. */
function elementsOf(html: string): DefaultTreeAdapterTypes.Element[] {
  const found: DefaultTreeAdapterTypes.Element[] = []
  const walk = (node: DefaultTreeAdapterTypes.Node): void => {
    if (defaultTreeAdapter.isElementNode(node)) found.push(node)
    if ('childNodes' in node) node.childNodes.forEach(walk)
  }
  walk(parse(html))
  return found
}

const tagsOf = (html: string): string[] => elementsOf(html).map((element) => element.tagName)

describe('a page in JSON', () => {
  it('has what PEP 691, 700, 714 and 792 ask for', () => {
    const file = recordFile('foo-1.0.tar.gz', {
      size: 5,
      uploadTime: '2026-01-02T03:04:05.000000Z',
      requiresPython: '>=3.9',
      yanked: 'bad',
      coreMetadata: new Map([['sha256', sha256Of('b')]]),
      provenance: null,
    })
    const page = {
      ...empty,
      files: [file],
      versions: ['1.0'],
      status: { status: 'archived', reason: 'r' },
    }
    expect(jsonOf(page)).toEqual({
      meta: { 'api-version': '1.4' },
      name: 'foo',
      'project-status': { status: 'archived', reason: 'r' },
      versions: ['1.0'],
      files: [
        {
          filename: 'foo-1.0.tar.gz',
          url: file.url,
          hashes: { sha256: sha256Of('a') },
          'requires-python': '>=3.9',
          size: 5,
          'upload-time': '2026-01-02T03:04:05.000000Z',
          yanked: 'bad',
          'core-metadata': { sha256: sha256Of('b') },
          'data-dist-info-metadata': { sha256: sha256Of('b') },
          provenance: null,
        },
      ],
    })
  })

  it('says yanked without a reason as true, since pip takes an empty text for no', () => {
    const page = { ...empty, files: [recordFile('foo-1.0.zip', { yanked: '' })] }
    expect(jsonOf(page)).toMatchObject({ files: [{ yanked: true }] })
    expect(jsonOf({ ...empty, files: [recordFile('foo-1.0.zip')] })).toMatchObject({
      files: [{ yanked: false }],
    })
  })

  it('has no private key, and no unknown key can take the place of a known one', () => {
    const extra = new Map<string, string>([
      ['_private', 'x'],
      ['name', 'evil'],
      ['files', 'evil'],
      ['url', 'https://evil.example/'],
      ['__proto__', 'x'],
    ])
    const page = { ...empty, extra, files: [recordFile('foo-1.0.zip', { extra })] }
    expect(jsonOf(page)).toMatchObject({
      name: 'foo',
      files: [{ url: recordFile('foo-1.0.zip').url }],
    })
    expect(decodeUtf8(renderPage(page, 'json-v1'))).not.toContain('"_')
  })

  it('reads back as the page that it was', () => {
    fc.assert(
      fc.property(anyPage, anyExtra, anyExtra, (page, pageExtra, fileExtra) => {
        const files = page.files.map((file) => ({ ...file, extra: fileExtra }))
        const full = { ...page, files, extra: pageExtra }
        const { skipped, ...read } = parsePageJson(renderPage(full, 'json-v1'), 'foo')
        expect(read).toEqual(full)
        expect(skipped).toEqual([])
      }),
    )
  })
})

describe('a page in HTML', () => {
  it('has what PEP 503, 592, 629, 714, 740 and 792 ask for', () => {
    const file = recordFile('foo-1.0.tar.gz', {
      size: 5,
      uploadTime: '2026-01-02T03:04:05.000000Z',
      requiresPython: '>=3.9,<4',
      yanked: '',
      coreMetadata: new Map([['sha256', sha256Of('b')]]),
      provenance: 'https://pypi.org/integrity/a?b&c',
    })
    const page = { ...empty, files: [file], status: { status: 'archived', reason: 'a "b"' } }
    expect(htmlOf(page)).toBe(`<!DOCTYPE html>
<html>
  <head>
    <meta charset="utf-8">
    <meta name="pypi:repository-version" content="1.4">
    <meta name="pypi:project-status" content="archived">
    <meta name="pypi:project-status-reason" content="a &quot;b&quot;">
    <title>Links for foo</title>
  </head>
  <body>
    <h1>Links for foo</h1>
    <a href="${file.url}#sha256=${sha256Of('a')}" data-requires-python="&gt;=3.9,&lt;4" data-yanked="" data-core-metadata="sha256=${sha256Of('b')}" data-dist-info-metadata="sha256=${sha256Of('b')}" data-provenance="https://pypi.org/integrity/a?b&amp;c" data-upload-time="2026-01-02T03:04:05.000000Z" data-size="5">foo-1.0.tar.gz</a><br>
  </body>
</html>
`)
    expect(renderPage(page, 'html-v1')).toEqual(renderPage(page, 'text-html'))
  })

  it('carries a remark of whoever serves it, in both formats, and stays a page', () => {
    const page = { ...empty, files: [recordFile('foo-1.0.zip')] }
    const html = decodeUtf8(renderPage(page, 'text-html', 'a <b> & c'))
    expect(html).toContain('    <p>a &lt;b&gt; &amp; c</p>\n    <a href=')
    const json = renderPage(page, 'json-v1', 'a <b> & c')
    expect(JSON.parse(decodeUtf8(json))).toMatchObject({ _remark: 'a <b> & c' })
    const { files, skipped } = parsePageJson(json, 'foo')
    expect({ files, skipped }).toMatchObject({ files: [{ filename: 'foo-1.0.zip' }], skipped: [] })
  })

  it('says nothing of metadata that it has not, or has no digest of: "false" would be a yes', () => {
    const files = [
      recordFile('foo-1.0.zip'),
      recordFile('foo-2.0.zip', { coreMetadata: new Map() }),
    ]
    expect(htmlOf({ ...empty, files })).not.toContain('metadata')
  })

  it('reads back as the page that it was', () => {
    fc.assert(
      fc.property(anyPage, (page) => {
        const { skipped, ...read } = parsePageHtml(renderPage(page, 'text-html'), 'foo')
        expect(read).toEqual(page)
        expect(skipped).toEqual([])
      }),
    )
  })

  it('is read by a browser as we read it', () => {
    fc.assert(
      fc.property(anyPage, (page) => {
        const elements = elementsOf(htmlOf(page))
        const anchors = elements.filter((element) => element.tagName === 'a')
        expect(anchors.map((anchor) => textOf(anchor))).toEqual(
          page.files.map((file) => file.filename),
        )
        const yanked = anchors.map(
          (a) => a.attrs.find((attr) => attr.name === 'data-yanked')?.value,
        )
        expect(yanked).toEqual(page.files.map((file) => file.yanked))
      }),
    )
  })
})

const textOf = (element: DefaultTreeAdapterTypes.Element): string =>
  element.childNodes.map((node) => ('value' in node ? node.value : '?')).join('')

describe('injection', () => {
  const shape = tagsOf(htmlOf({ ...empty, files: [recordFile('foo-1.0.zip')] }))
  const places: readonly (readonly [string, (text: string) => Partial<ProjectFile>])[] = [
    ['a yanked reason', (yanked) => ({ yanked })],
    ['requires-python', (requiresPython) => ({ requiresPython })],
    ['a file name', (filename) => ({ filename })],
    ['a URL', (url) => ({ url })],
    ['a provenance URL', (provenance) => ({ provenance })],
    ['a time', (uploadTime) => ({ uploadTime })],
    ['a digest', (digest) => ({ hashes: new Map([['sha256', digest]]) })],
    ['a metadata digest', (digest) => ({ coreMetadata: new Map([['sha256', digest]]) })],
  ]

  it.each(places)('through %s makes no other tag', (_, change) => {
    const texts = fc.oneof(fc.constantFrom(...evilTexts), fc.string({ unit: 'binary' }))
    fc.assert(
      fc.property(texts, (text) => {
        const html = htmlOf({ ...empty, files: [recordFile('foo-1.0.zip', change(text))] })
        expect(tagsOf(html)).toEqual(shape)
        const anchor = elementsOf(html).find((element) => element.tagName === 'a')
        for (const { name } of anchor?.attrs ?? []) expect(name).toMatch(/^(?:href|data-[a-z-]+)$/)
        expect(html).not.toContain('\0')
      }),
    )
  })

  it('through the name or the status of a project makes no other tag', () => {
    for (const text of evilTexts) {
      const html = htmlOf({ ...empty, name: text, status: { status: text, reason: text } })
      expect(tagsOf(html).filter((tag) => tag !== 'meta')).toEqual(
        shape.filter((tag) => !['meta', 'a', 'br'].includes(tag)),
      )
    }
  })

  it('keeps a carriage return and a NUL from meaning one thing to us and another to a browser', () => {
    const html = htmlOf({
      ...empty,
      files: [recordFile('foo-1.0.zip', { yanked: 'a\rb\0c\uD800d' })],
    })
    const anchor = elementsOf(html).find((element) => element.tagName === 'a')
    const yanked = anchor?.attrs.find(({ name }) => name === 'data-yanked')?.value
    expect(yanked).toBe('a\rb\uFFFDc\uFFFDd')
  })
})
