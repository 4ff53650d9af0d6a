import { describe, expect, it } from 'vitest'
import { encodeUtf8 } from '../../src/base/bytes.ts'
import { parsePageHtml } from '../../src/simple/parse-html.ts'
import { resolveUrls } from '../../src/simple/resolve-urls.ts'
import { caught } from '../support/caught.ts'

const pageUrl = 'https://user:secret@index.example:8443/simple/foo/'
const resolve = (html: string) => resolveUrls(parsePageHtml(encodeUtf8(html), 'foo'), pageUrl)
const urls = (html: string) => resolve(html).files.map((file) => file.url)

describe('absolute URLs', () => {
  it.each([
    ['foo-1.0.zip', 'https://index.example:8443/simple/foo/foo-1.0.zip'],
    ['../../p/foo-1.0.zip', 'https://index.example:8443/p/foo-1.0.zip'],
    ['/p/foo-1.0.zip#sha256=00', 'https://index.example:8443/p/foo-1.0.zip'],
    ['//CDN.example/foo-1.0.zip', 'https://cdn.example/foo-1.0.zip'],
    ['HTTP://a.example:80/./b/../foo-1.0.zip', 'http://a.example/foo-1.0.zip'],
    ['http:\\\\a.example\\foo-1.0.zip', 'http://a.example/foo-1.0.zip'],
    ['https://a.example/f%C3%B6\u00F6/foo-1.0.zip', 'https://a.example/f%C3%B6%C3%B6/foo-1.0.zip'],
  ])('resolves %s, without the credentials of the page', (href, url) => {
    expect(urls(`<a href="${href}">`)).toEqual([url])
  })

  it('goes by the base of the page, which may be relative itself', () => {
    expect(urls('<base href="https://b.example/x/"><a href="foo-1.0.zip">')).toEqual([
      'https://b.example/x/foo-1.0.zip',
    ])
    expect(urls('<a href="foo-1.0.zip"><base href="../y/">')).toEqual([
      'https://index.example:8443/simple/y/foo-1.0.zip',
    ])
    expect(resolve('<base href="/x/">')).not.toHaveProperty('base')
  })

  it('refuses a page whose base is no web address', () => {
    for (const base of ['javascript:0', 'file:///etc/', 'http://[']) {
      const error = caught(() => resolve(`<base href="${base}"><a href="foo-1.0.zip">`))
      expect(error.code).toBe('MALFORMED')
      expect(error.message).toBe('the index page of foo has a base that is no URL')
      expect(error.facts.found).toBe(base)
    }
  })

  it.each([
    ['foo-1.0.zip?token=hunter2', 'it has a query'],
    ['foo-1.0.zip?', 'it has a query'],
    ['https://user:hunter2@a.example/foo-1.0.zip', 'it has credentials'],
    ['https://user@a.example/foo-1.0.zip', 'it has credentials'],
    ['https://exa mple/foo-1.0.zip', 'a link without a file name'],
  ])('leaves out %s, and reports it without its secrets', (href, problem) => {
    const page = resolve(`<a href="${href}"><a href="foo-2.0.zip">`)
    expect(page.files).toHaveLength(1)
    expect(page.skipped).toHaveLength(1)
    expect(page.skipped[0]?.problem).toBe(problem)
    expect(JSON.stringify(page.skipped)).not.toContain('hunter2')
  })

  it('leaves out a link of a JSON page to a file of this machine', () => {
    const page = parsePageHtml(encodeUtf8('<a href="foo-1.0.zip">'), 'foo')
    for (const url of ['file:///etc/passwd', 'ftp://a.example/foo-1.0.zip', 'https://[/']) {
      const files = page.files.map((file) => ({ ...file, url }))
      const resolved = resolveUrls({ ...page, files }, pageUrl)
      expect(resolved.files).toEqual([])
      expect(resolved.skipped).toHaveLength(1)
    }
  })
})
