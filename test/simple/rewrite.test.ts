import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isPathSegment } from '../../src/simple/read-text.ts'
import { parseRecord, type ProjectRecord, type RecordFile } from '../../src/simple/record.ts'
import { rewriteForOrigin, rewritePage, type Ruling } from '../../src/simple/rewrite.ts'
import { fileJson, host, pageJson, sha256Of } from '../support/pages.ts'

const keepAll: ReadonlyMap<RecordFile, Ruling> = new Map()
const name = 'foo-1.0-py3-none-any.whl'

const recordOf = (...files: readonly unknown[]): ProjectRecord =>
  parseRecord(pageJson('foo', files), 'foo')

function ruling(record: ProjectRecord, at: number, kind: Ruling['kind']): Map<RecordFile, Ruling> {
  const file = record.files[at]
  return new Map(file === undefined ? [] : [[file, { kind, reason: 'too young' }]])
}

describe('the page that a client sees', () => {
  it('links to this proxy, relative to the page, with one hash', () => {
    const record = recordOf(
      fileJson(name, { hashes: { md5: 'd'.repeat(32), sha256: sha256Of('a') } }),
    )
    const [file] = rewritePage(record, keepAll, { showHidden: false }).files
    expect(file?.url).toBe(`../../files/foo/files.pythonhosted.org/packages/aa/bb/${name}`)
    expect(file?.hashes).toEqual(new Map([['sha256', sha256Of('a')]]))
  })

  it.each([
    ['http://127.0.0.1:8080/a%20b/', '127.0.0.1:8080/a%20b/'],
    ['http://[::1]:8080/', '%5B::1%5D:8080/'],
    ['https://a.example/%3Fq%23f/', 'a.example/%3Fq%23f/'],
    ['https://xn--fa-hia.example/%C3%B6/', 'xn--fa-hia.example/%C3%B6/'],
  ])('links to %s in a way that comes back as the same path', (folder, path) => {
    const filename = 'foo-1!1.0+loc.al-py3-none-any.whl'
    const record = recordOf(fileJson(filename, { url: folder + filename }))
    const [file] = rewritePage(record, keepAll, { showHidden: false }).files
    expect(file?.url).toBe(`../../files/foo/${path}foo-1!1.0%2Bloc.al-py3-none-any.whl`)
    // As pip asks for it, and as the proxy looks it up.
    const asked = new URL(file?.url ?? '', 'http://localhost:3000/prefix/simple/foo/')
    expect(asked.pathname).toMatch(/^\/prefix\/files\/foo\//)
    const segments = asked.pathname.split('/').slice(4).map(decodeURIComponent)
    expect(record.byPath.get(segments.join('/'))?.file).toBe(record.files[0])
  })

  it('links to any path in a way that comes back as the same path', () => {
    const segment = fc
      .string({ unit: 'grapheme', minLength: 1, maxLength: 8 })
      .filter(isPathSegment)
    fc.assert(
      fc.property(fc.array(segment, { maxLength: 4 }), (segments) => {
        const path = [...segments, name].map(encodeURIComponent).join('/')
        const record = recordOf(fileJson(name, { url: new URL(path, 'http://a.example:81/').href }))
        const [file] = rewritePage(record, keepAll, { showHidden: false }).files
        const asked = new URL(file?.url ?? '', 'http://localhost:3000/simple/foo/')
        const decoded = asked.pathname.split('/').slice(3).map(decodeURIComponent).join('/')
        expect(decoded).toBe(['a.example:81', ...segments, name].join('/'))
        expect(record.byPath.has(decoded)).toBe(true)
      }),
    )
  })

  it('keeps what is signed besides', () => {
    const record = parseRecord(
      pageJson(
        'foo',
        [
          fileJson(name, {
            'core-metadata': { sha256: sha256Of('b') },
            provenance: 'https://pypi.org/integrity/p',
            yanked: 'bad',
            'gpg-sig': true,
            variants: 1,
            _other: 1,
          }),
        ],
        { 'project-status': { status: 'archived' }, namespaces: [], _private: 1 },
      ),
      'foo',
    )
    const page = rewritePage(record, keepAll, { showHidden: false })
    expect(page.files[0]).toEqual({
      filename: name,
      url: `../../files/foo/files.pythonhosted.org/packages/aa/bb/${name}`,
      hashes: new Map([['sha256', sha256Of('a')]]),
      size: 1000,
      uploadTime: '2026-01-02T03:04:05.678901Z',
      requiresPython: '>=3.9',
      yanked: 'bad',
      coreMetadata: new Map([['sha256', sha256Of('b')]]),
      provenance: 'https://pypi.org/integrity/p',
      extra: new Map([['variants', 1]]),
    })
    expect(page.status).toEqual({ status: 'archived' })
    expect(page.extra).toEqual(new Map([['namespaces', []]]))
  })

  it('shows a file that the index lists no more as yanked, with the time', () => {
    const removed = '2026-03-01T00:00:00Z'
    const record = recordOf(
      fileJson(name, { _removed: removed }),
      fileJson('foo-2.0.zip', { _removed: removed, yanked: 'bad' }),
    )
    const page = rewritePage(record, keepAll, { showHidden: false })
    expect(page.files.map((file) => file.yanked)).toEqual([
      'not listed since 2026-03-01T00:00:00Z',
      'not listed since 2026-03-01T00:00:00Z: bad',
    ])
    expect(page.versions).toEqual(['1.0', '2.0'])
  })

  it('A23: keeps the old entry of a file that changed, and everything else', () => {
    const record = recordOf(fileJson(name, { _conflict: sha256Of('c') }), fileJson('foo-2.0.zip'))
    const page = rewritePage(record, keepAll, { showHidden: false })
    expect(page.files.map((file) => file.hashes.get('sha256'))).toEqual([
      sha256Of('a'),
      sha256Of('a'),
    ])
    expect(page.files.map((file) => file.yanked)).toEqual([undefined, undefined])
  })

  it('leaves out what policy hides, and a version of which nothing is left', () => {
    const files = [fileJson(name), fileJson('foo-2.0.zip'), fileJson('foo-2.0.0-py3-none-any.whl')]
    const record = parseRecord(pageJson('foo', files, { versions: ['0.1', '1.0', '2.0'] }), 'foo')
    const first = rewritePage(record, ruling(record, 0, 'hide'), { showHidden: false })
    expect(first.files.map((file) => file.filename)).toEqual([
      'foo-2.0.zip',
      'foo-2.0.0-py3-none-any.whl',
    ])
    // 0.1 never had a file on this page: a page may list more versions (PEP 700).
    expect(first.versions).toEqual(['0.1', '2.0'])
    const second = rewritePage(record, ruling(record, 1, 'hide'), { showHidden: false })
    expect(second.versions).toEqual(['0.1', '1.0', '2.0'])
  })

  it('keeps hidden files as yanked with the reason, where that is wanted', () => {
    const record = recordOf(fileJson(name, { yanked: 'bad' }), fileJson('foo-2.0.zip'))
    const page = rewritePage(record, ruling(record, 0, 'hide'), { showHidden: true })
    expect(page.files.map((file) => file.yanked)).toEqual(['too young', undefined])
    expect(page.versions).toEqual(['1.0', '2.0'])
  })

  it('keeps a refused file on the page, so that pip fails with the reason', () => {
    const record = recordOf(fileJson(name))
    const page = rewritePage(record, ruling(record, 0, 'refuse'), { showHidden: false })
    expect(page.files.map((file) => file.yanked)).toEqual([undefined])
  })

  it('offers nothing of a quarantined project (PEP 792)', () => {
    const status = { 'project-status': { status: 'quarantined', reason: 'malware' } }
    const record = parseRecord(pageJson('foo', [fileJson(name)], status), 'foo')
    const page = rewritePage(record, keepAll, { showHidden: true })
    expect(page.files).toEqual([])
    expect(page.versions).toEqual([])
    expect(page.status).toEqual({ status: 'quarantined', reason: 'malware' })
  })

  it('can also lead to the origin, for readers without a proxy', () => {
    const record = recordOf(
      fileJson(name),
      fileJson('foo-2.0.zip', { _removed: '2026-03-01T00:00:00Z' }),
    )
    const page = rewriteForOrigin(record)
    expect(page.files.map((file) => file.url)).toEqual([
      `${host}/packages/aa/bb/${name}`,
      `${host}/packages/aa/bb/foo-2.0.zip`,
    ])
    expect(page.files[1]?.yanked).toContain('not listed')
  })
})
