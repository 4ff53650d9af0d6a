import { readFileSync } from 'node:fs'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeUtf8 } from '../../src/base/bytes.ts'
import { isTufgateError } from '../../src/base/errors.ts'
import { findFileFault } from '../../src/simple/file-url.ts'
import { parsePageJson } from '../../src/simple/parse-json.ts'
import { parseRecord, renderRecord } from '../../src/simple/record.ts'
import { resolveUrls } from '../../src/simple/resolve-urls.ts'
import { caught } from '../support/caught.ts'
import {
  anyExtra,
  anyPage,
  fileJson,
  host,
  pageJson,
  recordFile,
  sha256Of,
  toBytes,
} from '../support/pages.ts'

const name = 'foo-1.0-py3-none-any.whl'
const parseFiles = (...files: readonly unknown[]) => parseRecord(pageJson('foo', files), 'foo')

function attempt(bytes: Uint8Array): void {
  try {
    parseRecord(bytes, 'foo')
  } catch (error) {
    const code = isTufgateError(error) ? error.code : error
    expect(code).toMatch(/^(?:MALFORMED|UNSUPPORTED|RECORD_REFUSED)$/)
  }
}

describe('project records', () => {
  it('can be written again whatever the provenance of a file is: half a character is none', () => {
    const record = parseFiles(fileJson(name, { provenance: 'https://a.example/\ud800' }))
    expect(record.files[0]?.provenance).toBeUndefined()
    expect(decodeUtf8(renderRecord(record))).not.toContain('provenance')
  })

  it('says for each path what is served there, files and metadata', () => {
    const digest = sha256Of('b')
    const record = parseFiles(
      fileJson(name, { 'core-metadata': { sha256: digest, md5: 'c'.repeat(32) } }),
      fileJson('foo-1.0.tar.gz', {
        url: 'http://127.0.0.1:8080/a%20b/foo-1.0.tar.gz',
        size: undefined,
      }),
    )
    expect([...record.byPath.keys()]).toEqual([
      `files.pythonhosted.org/packages/aa/bb/${name}`,
      `files.pythonhosted.org/packages/aa/bb/${name}.metadata`,
      '127.0.0.1:8080/a b/foo-1.0.tar.gz',
    ])
    const [file, metadata, sdist] = record.byPath.values()
    expect(file).toMatchObject({ kind: 'file', sha256: sha256Of('a'), size: 1000 })
    expect(metadata).toEqual({
      kind: 'metadata',
      file: record.files[0],
      url: `${host}/packages/aa/bb/${name}.metadata`,
      sha256: digest,
    })
    expect(sdist).not.toHaveProperty('size')
    expect(record.files[0]?.coreMetadata).toEqual(new Map([['sha256', digest]]))
  })

  it('finds one key for every spelling of a path', () => {
    const url = `${host}/p/foo-1%21%31.0+loc.al-py3-none-any.whl`
    const record = parseFiles(fileJson('foo-1!1.0+loc.al-py3-none-any.whl', { url }))
    expect([...record.byPath.keys()]).toEqual([
      'files.pythonhosted.org/p/foo-1!1.0+loc.al-py3-none-any.whl',
    ])
  })

  it('reads what the mirror adds, and keeps no other private key', () => {
    const record = parseRecord(
      pageJson(
        'foo',
        [
          fileJson(name, {
            _removed: '2026-03-01T00:00:00Z',
            _conflict: sha256Of('c'),
            '_first-seen': '2026-01-05T06:07:08Z',
            _other: 1,
            variants: 2,
          }),
        ],
        { '_last-serial': 5, namespaces: [] },
      ),
      'foo',
    )
    expect(record.files[0]).toMatchObject({
      removed: '2026-03-01T00:00:00Z',
      conflict: sha256Of('c'),
      firstSeen: Date.UTC(2026, 0, 5, 6, 7, 8),
      extra: new Map([['variants', 2]]),
    })
    expect(record.extra).toEqual(new Map([['namespaces', []]]))
  })

  it('offers no metadata that has no sha256', () => {
    const record = parseFiles(
      fileJson(name, { 'core-metadata': true }),
      fileJson('foo-2.0-py3-none-any.whl', { 'core-metadata': { md5: 'c'.repeat(32) } }),
    )
    expect(record.files.map((file) => file.coreMetadata)).toEqual([undefined, undefined])
    expect(record.byPath.size).toBe(2)
  })

  it('computes the versions where they are absent, each once', () => {
    const record = parseFiles(
      fileJson(name),
      fileJson('foo-1.tar.gz'),
      fileJson('foo-2.0rc1.zip'),
      fileJson('foo-3.0-variants.json'),
    )
    expect(record.versions).toEqual(['1.0', '2.0rc1'])
    const page = pageJson('foo', [fileJson(name)], { versions: ['0.9', '1.0'] })
    expect(parseRecord(page, 'foo').versions).toEqual(['0.9', '1.0'])
  })

  it('says the same in any order of members: one form, canonical, with one hash', () => {
    const file = recordFile(name, {
      hashes: new Map([
        ['md5', 'd'.repeat(32)],
        ['sha256', sha256Of('a')],
      ]),
      coreMetadata: new Map(),
      firstSeen: Date.UTC(2026, 0, 5, 6, 7, 8, 999),
      removed: '2026-03-01T00:00:00Z',
      conflict: sha256Of('c'),
      yanked: '',
      extra: new Map([
        ['_private', 1],
        ['variants', 2],
      ]),
    })
    const bytes = renderRecord({
      name: 'foo',
      files: [file],
      versions: [],
      extra: new Map([['_last-serial', 5]]),
    })
    expect(decodeUtf8(bytes)).toBe(
      `{"files":[{"_conflict":"${sha256Of('c')}","_first-seen":"2026-01-05T06:07:08Z","_removed":"2026-03-01T00:00:00Z",` +
        `"filename":"${name}","hashes":{"sha256":"${sha256Of('a')}"},` +
        `"url":"https://files.pythonhosted.org/packages/aa/bb/${name}","variants":2,"yanked":true}],` +
        `"meta":{"api-version":"1.4"},"name":"foo","versions":["1.0"]}`,
    )
  })

  it('comes back from its bytes as it was, for any page that it can be made of', () => {
    fc.assert(
      fc.property(anyPage, anyExtra, anyExtra, (page, pageExtra, fileExtra) => {
        const byName = new Map(page.files.map((file) => [file.filename, file]))
        const files = [...byName.values()].map((file) => ({
          ...file,
          extra: fileExtra,
          sha256: file.hashes.get('sha256') ?? '',
        }))
        const content = { ...page, files, extra: pageExtra }
        const record = parseRecord(renderRecord(content), 'foo')
        expect(record.files).toEqual(files)
        expect(record.status).toEqual(page.status)
        expect(record.extra).toEqual(pageExtra)
        expect(renderRecord(record)).toEqual(renderRecord(content))
      }),
    )
  })

  it.each([
    ['poetry/black.json', 'black', []],
    ['poetry/requests.json', 'requests', []],
    ['unearth/black.json', 'black', []],
    ['poetry/invalid-version.json', 'poetry', []],
  ])('signs every file of %s', (path, project, faults) => {
    const parsed = parsePageJson(readFileSync(`test/vectors/${path}`), project)
    const page = resolveUrls(parsed, `https://pypi.org/simple/${project}/`)
    expect(page.files.flatMap((file) => findFileFault(file, project) ?? [])).toEqual(faults)
    const files = page.files.map((file) => ({ ...file, sha256: file.hashes.get('sha256') ?? '' }))
    const record = parseRecord(renderRecord({ ...page, files }), project)
    expect(record.files.map((file) => file.url)).toEqual(page.files.map((file) => file.url))
  })

  it.each([
    ['no sha256', { hashes: {} }, 'MALFORMED', 'has no sha256'],
    ['only an md5', { hashes: { md5: 'd'.repeat(32) } }, 'MALFORMED', 'has no sha256'],
    ['half a sha256', { hashes: { sha256: 'd'.repeat(32) } }, 'MALFORMED', 'not a digest'],
    ['a removal without a time', { _removed: true }, 'MALFORMED', '_removed: expected text'],
    ['a time in words', { '_first-seen': 'now' }, 'MALFORMED', 'YYYY-MM-DDTHH:MM:SSZ'],
    ['a conflict that is none', { _conflict: 'x' }, 'MALFORMED', '_conflict: expected a sha256'],
  ])('refuses a record with %s', (_, changes, code, message) => {
    const error = caught(() => parseFiles(fileJson(name, changes)))
    expect(error.code).toBe(code)
    expect(error.message).toContain(message)
    expect(error.message).toMatch(/^the record of foo /)
  })

  it('refuses the record of another project, and another major version', () => {
    expect(caught(() => parseRecord(pageJson('bar', []), 'foo')).message).toBe(
      'the record of foo is the page of another project',
    )
    const newer = pageJson('foo', [], { meta: { 'api-version': '2.0' } })
    expect(caught(() => parseRecord(newer, 'foo')).code).toBe('UNSUPPORTED')
  })

  it('throws nothing but errors with a code, whatever the bytes', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), attempt))
    fc.assert(fc.property(fc.jsonValue().map(toBytes), attempt))
    const members = fc.constantFrom('url', 'filename', '_removed', '_conflict', '_first-seen')
    const values = fc.oneof(fc.jsonValue(), fc.webUrl(), fc.string({ unit: 'binary' }))
    fc.assert(
      fc.property(members, values, (member, value) => {
        attempt(pageJson('foo', [fileJson(name, { [member]: value })]))
      }),
      { numRuns: 1000 },
    )
  })
})
