import { readFileSync } from 'node:fs'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeUtf8, encodeUtf8 } from '../../src/base/bytes.ts'
import {
  parseIndexListHtml,
  parseIndexListJson,
  parseProjectListHtml,
  parseProjectListJson,
  renderProjectList,
} from '../../src/simple/project-list.ts'
import { caught } from '../support/caught.ts'
import { toBytes } from '../support/pages.ts'

const vector = (path: string): Buffer => readFileSync(`test/vectors/pypi-simple/${path}`)

describe('the list of projects', () => {
  it('reads the HTML of PyPI, with names as they are written', () => {
    const names = parseProjectListHtml(vector('simple01.html'))
    expect(names.slice(0, 2)).toEqual(['a', 'a00k5pgrtn'])
    expect(names).toContain('a2m.itertools')
  })

  it('reads the HTML of devpi, each project once', () => {
    const names = parseProjectListHtml(vector('simple_devpi.html'))
    expect(names.slice(0, 3)).toEqual(['devpi', 'devpi-client', 'devpi-common'])
    expect(new Set(names).size).toBe(names.length)
  })

  it('takes the link where the text is no name', () => {
    const html = '<a href="/simple/foo/">the &lt;foo&gt; project</a><a href="../">up</a> tail'
    expect(parseProjectListHtml(encodeUtf8(html))).toEqual(['foo', 'up'])
  })

  it('reads JSON and leaves out what is no name', () => {
    const projects = [{ name: 'Foo.Bar', '_last-serial': 1 }, { name: 'foo-bar' }, { name: '../x' }]
    const bytes = toBytes({ meta: { 'api-version': '1.4' }, projects })
    expect(parseProjectListJson(bytes)).toEqual(['Foo.Bar'])
  })

  it.each([
    [{ meta: { 'api-version': '2.0' }, projects: [] }, 'UNSUPPORTED', 'has API version 2.0'],
    [{ meta: { 'api-version': '1.0' } }, 'MALFORMED', 'projects: expected a list, found nothing'],
    [{ meta: { 'api-version': '1.0' }, projects: [{}] }, 'MALFORMED', 'projects.[0].name'],
  ])('refuses %j', (value, code, message) => {
    const error = caught(() => parseProjectListJson(toBytes(value)))
    expect(error.code).toBe(code)
    expect(error.message).toContain(message)
  })

  it('refuses HTML of another major version', () => {
    const html = '<meta name="pypi:repository-version" content="2.0">'
    expect(caught(() => parseProjectListHtml(encodeUtf8(html))).code).toBe('UNSUPPORTED')
  })

  it('writes relative, normalized links', () => {
    const html = decodeUtf8(renderProjectList(['Foo.Bar', 'constructor'], 'text-html'))
    expect(html).toContain('<a href="foo-bar/">Foo.Bar</a><br>')
    expect(html).toContain('<meta name="pypi:repository-version" content="1.4">')
    expect(JSON.parse(decodeUtf8(renderProjectList(['a'], 'json-v1')))).toEqual({
      meta: { 'api-version': '1.4' },
      projects: [{ name: 'a' }],
    })
  })

  it('reads back as the names that it was made of', () => {
    const name = fc.stringMatching(/^[A-Za-z0-9]([A-Za-z0-9._-]{0,10}[A-Za-z0-9])?$/)
    const names = fc.uniqueArray(name, {
      selector: (text) => text.toLowerCase().replaceAll(/[-_.]+/g, '-'),
    })
    fc.assert(
      fc.property(names, (all) => {
        expect(parseProjectListJson(renderProjectList(all, 'json-v1'))).toEqual(all)
        expect(parseProjectListHtml(renderProjectList(all, 'text-html'))).toEqual(all)
      }),
    )
  })

  it('takes a hundred thousand names', () => {
    const names = Array.from({ length: 100_000 }, (_, at) => `project-${at}`)
    expect(parseProjectListJson(renderProjectList(names, 'json-v1'))).toHaveLength(100_000)
    expect(parseProjectListHtml(renderProjectList(names, 'text-html'))).toHaveLength(100_000)
  })
})

describe('the list of an index, for a mirror of it', () => {
  it('says the serial of each project, by normalized name, and of the whole', () => {
    const list = {
      meta: { 'api-version': '1.0', '_last-serial': 12 },
      projects: [
        { name: 'Foo.Bar', '_last-serial': 7 },
        { name: 'foo-bar', '_last-serial': 9 },
        { name: 'baz' },
        { name: '../x', '_last-serial': 1 },
      ],
    }
    expect(parseIndexListJson(Buffer.from(JSON.stringify(list)))).toEqual({
      serial: 12,
      serials: new Map([
        ['foo-bar', 9],
        ['baz', undefined],
      ]),
    })
  })

  it.each([1.5, -1, '7', null, true])('takes the serial %j for none', (serial) => {
    const meta = { 'api-version': '1.0', '_last-serial': serial }
    const list = { meta, projects: [{ name: 'foo', '_last-serial': serial }] }
    expect(parseIndexListJson(Buffer.from(JSON.stringify(list)))).toEqual({
      serials: new Map([['foo', undefined]]),
    })
  })

  it('has no serials in HTML', () => {
    const html = '<html><body><a href="foo-bar/">Foo_Bar</a></body></html>'
    expect(parseIndexListHtml(Buffer.from(html))).toEqual({
      serials: new Map([['foo-bar', undefined]]),
    })
  })
})
