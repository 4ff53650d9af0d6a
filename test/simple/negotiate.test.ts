import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { contentTypeOf, negotiate, negotiateEncoding } from '../../src/simple/negotiate.ts'

const json = 'application/vnd.pypi.simple.v1+json'
const html = 'application/vnd.pypi.simple.v1+html'

describe('the format of a page (PEP 691)', () => {
  it.each([
    ['pip', `${json}, ${html}; q=0.1, text/html; q=0.01`, 'json-v1'],
    ['uv', `${json}, ${html};q=0.2, text/html;q=0.01`, 'json-v1'],
    ['poetry', `${json}, */*;q=0.1`, 'json-v1'],
    ['pip 18, poetry 1.3 and curl', '*/*', 'text-html'],
    ['pip 22', 'text/html', 'text-html'],
    ['Firefox', 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', 'text-html'],
    ['nobody', '', 'text-html'],
    ['a client of the latest', 'application/vnd.pypi.simple.latest+json', 'json-v1'],
    ['a client of the latest HTML', 'application/vnd.pypi.simple.latest+html', 'html-v1'],
    ['a shouting client', json.toUpperCase(), 'json-v1'],
    ['one that asks for version 2', 'application/vnd.pypi.simple.v2+json', 'text-html'],
    ['one that asks for plain JSON', 'application/json', 'text-html'],
    ['one that takes any application', 'application/*', 'json-v1'],
    ['one that takes any text', 'text/*, application/xml', 'text-html'],
    ['one that prefers HTML', `${json};q=0.5, ${html};q=0.6`, 'html-v1'],
    ['one that likes both', `text/html, ${html}, ${json}`, 'json-v1'],
    ['one that will not have JSON', `${json};q=0, */*`, 'text-html'],
    ['one that will not have text/html', 'text/html;q=0, */*', 'json-v1'],
    ['one that likes text/html less', 'text/html;q=0.5, */*', 'json-v1'],
    ['one that will have nothing', '*/*;q=0', 'text-html'],
    ['one with parameters', `${json}; charset="utf-8"; q=1.000`, 'json-v1'],
  ])('answers %s', (_, accept, format) => {
    expect(negotiate(accept)).toBe(format)
  })

  it('answers HTML where there is no Accept', () => {
    expect(negotiate(undefined)).toBe('text-html')
  })

  it.each([
    [`${json};q=2`, 'more than 1'],
    [`${json};q=-1`, 'less than 0'],
    [`${json};q=`, 'nothing'],
    [`${json};q=0x1`, 'not decimal'],
    [`${json};q=NaN`, 'no number'],
    [`;;;,,,;q=1,=,/`, 'no types at all'],
  ])('takes no notice of %s: a quality of %s', (accept) => {
    expect(negotiate(accept)).toBe('text-html')
  })

  it('reads only the first items of an endless header', () => {
    expect(negotiate(`${'a/b,'.repeat(1_000_000)}${json}`)).toBe('text-html')
    expect(negotiate(`${json}${',a/b'.repeat(1_000_000)}`)).toBe('json-v1')
  })

  it('never throws', () => {
    const parts = fc.constantFrom(json, html, 'text/html', '*/*', ';', 'q=', '0.5', ',', ' ', '"')
    const accepts = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(parts).map((all) => all.join('')),
    )
    fc.assert(
      fc.property(accepts, (accept) => {
        expect(['json-v1', 'html-v1', 'text-html']).toContain(negotiate(accept))
        expect(['gzip', 'identity']).toContain(negotiateEncoding(accept))
      }),
      { numRuns: 2000 },
    )
  })

  it('names the types as clients compare them', () => {
    expect(contentTypeOf('json-v1')).toBe(json)
    expect(contentTypeOf('html-v1')).toBe(html)
    expect(contentTypeOf('text-html')).toBe('text/html; charset=utf-8')
  })
})

describe('the encoding of a page', () => {
  it.each([
    ['gzip, deflate', 'gzip'],
    ['gzip, deflate, zstd', 'gzip'],
    ['identity', 'identity'],
    [undefined, 'identity'],
    ['', 'identity'],
    ['br', 'identity'],
    ['*', 'gzip'],
    ['gzip;q=0', 'identity'],
    ['gzip;q=0, *', 'identity'],
    ['identity;q=1, gzip;q=0.5', 'identity'],
    ['gzip;q=0.5, identity;q=0.1', 'gzip'],
    ['GZIP', 'gzip'],
    ['x-gzip', 'gzip'],
  ])('answers %s with %s', (raw, encoding) => {
    expect(negotiateEncoding(raw)).toBe(encoding)
  })
})
