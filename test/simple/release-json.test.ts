import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeUtf8 } from '../../src/base/bytes.ts'
import type { ProjectFile } from '../../src/simple/model.ts'
import { parseRecord, type ProjectRecord, type RecordFile } from '../../src/simple/record.ts'
import {
  groupReleases,
  renderProjectJson,
  renderReleaseJson,
} from '../../src/simple/release-json.ts'
import { renderPage } from '../../src/simple/render.ts'
import { rewritePage, type Ruling } from '../../src/simple/rewrite.ts'
import { anyFile, evilTexts, fileJson, pageJson, recordFile, sha256Of } from '../support/pages.ts'

interface FileOfJson {
  filename: string
  url: string
  packagetype: string
  python_version: string
  digests: Record<string, string>
  size: number | null
  requires_python: string | null
  upload_time_iso_8601: string | null
  yanked: boolean
  yanked_reason: string | null
}

interface ReleaseOfJson {
  info: Record<string, unknown>
  urls: FileOfJson[]
  releases?: Record<string, FileOfJson[]>
}

const recordOf = (files: readonly unknown[], changes = {}): ProjectRecord =>
  parseRecord(pageJson('foo', files, changes), 'foo')

function render(files: readonly ProjectFile[], more = {}): ReleaseOfJson {
  const bytes = renderReleaseJson({ version: '1.0', files }, { name: 'foo', ...more })
  return JSON.parse(decodeUtf8(bytes)) as ReleaseOfJson
}

const wheel = 'foo-1.0-py3-none-any.whl'

describe('the JSON of a release', () => {
  it('says of a file what its page says, and nothing else', () => {
    const [file] = recordOf([
      fileJson(wheel, {
        hashes: { md5: 'd'.repeat(32), sha256: sha256Of('a') },
        downloads: 7,
        uploaded_via: 'twine',
      }),
    ]).files
    expect(render(file === undefined ? [] : [file]).urls).toEqual([
      {
        filename: wheel,
        url: `https://files.pythonhosted.org/packages/aa/bb/${wheel}`,
        packagetype: 'bdist_wheel',
        python_version: 'py3',
        digests: { sha256: sha256Of('a') },
        size: 1000,
        requires_python: '>=3.9',
        upload_time_iso_8601: '2026-01-02T03:04:05.678901Z',
        yanked: false,
        yanked_reason: null,
      },
    ])
  })

  it('has all keys where nothing is known, so that no client fails', () => {
    const { info, urls } = render([recordFile(wheel)])
    expect(info).toEqual({
      name: 'foo',
      version: '1.0',
      summary: null,
      platform: null,
      requires_dist: null,
      requires_python: null,
      yanked: false,
      yanked_reason: null,
    })
    expect(urls).toMatchObject([
      { size: null, requires_python: null, upload_time_iso_8601: null, yanked_reason: null },
    ])
  })

  it('tells requirements as they are declared, and that there are none', () => {
    const declared = { summary: 'A foo', requirements: ['bar>=1; extra == "x"'] }
    expect(render([], { declared }).info).toMatchObject({
      summary: 'A foo',
      requires_dist: ['bar>=1; extra == "x"'],
    })
    expect(render([], { declared: { requirements: [] } }).info).toMatchObject({
      summary: null,
      requires_dist: [],
    })
  })

  it.each([
    ['the one that all files want', ['>=3.9', '>=3.9'], '>=3.9'],
    ['none where they differ', ['>=3.9', '>=3.8'], null],
    ['none where one does not say', ['>=3.9', undefined], null],
  ])('wants a Python: %s', (_, wanted, expected) => {
    const files = wanted.map((requiresPython, at) =>
      recordFile(`foo-1.0-${at}-py3-none-any.whl`, {
        ...(requiresPython !== undefined && { requiresPython }),
      }),
    )
    expect(render(files).info['requires_python']).toBe(expected)
  })

  it('is yanked when all of its files are, with the first reason', () => {
    const kept = recordFile(wheel)
    const yanked = recordFile('foo-1.0.tar.gz', { yanked: '' })
    const broken = recordFile('foo-1.0.zip', { yanked: 'broken' })
    expect(render([yanked, broken]).info).toMatchObject({ yanked: true, yanked_reason: 'broken' })
    expect(render([yanked]).info).toMatchObject({ yanked: true, yanked_reason: null })
    const mixed = render([kept, broken])
    expect(mixed.info).toMatchObject({ yanked: false, yanked_reason: null })
    expect(mixed.urls.map((file) => file.yanked_reason)).toEqual([null, 'broken'])
  })

  it.each([
    [wheel, 'bdist_wheel', 'py3'],
    ['foo-1.0-1-cp311-cp311-win32.whl', 'bdist_wheel', 'cp311'],
    ['foo-1.0.tar.gz', 'sdist', 'source'],
    ['foo-1.0.zip', 'sdist', 'source'],
    ['foo-1.0-py2.7.egg', 'bdist_egg', 'any'],
    ['foo-1.0.win32.exe', 'bdist_wininst', 'any'],
    ['foo-1.0.win32.msi', 'bdist_msi', 'any'],
    ['foo-1.0.linux-x86_64.tar.gz', 'bdist_dumb', 'any'],
    ['foo-1.0-1.noarch.rpm', 'bdist_rpm', 'any'],
  ])('names the kind of %s', (filename, packagetype, version) => {
    expect(render([recordFile(filename)]).urls).toMatchObject([
      { filename, packagetype, python_version: version },
    ])
  })

  it.each(evilTexts)('keeps %s a text', (text) => {
    const { urls } = render([recordFile(wheel, { yanked: text, requiresPython: text })], {
      remark: text,
    })
    expect(urls).toMatchObject([{ requires_python: text, yanked_reason: text }])
  })
})

describe('the releases of a record', () => {
  it('are told apart as versions, and spelled as the record spells them', () => {
    const record = recordOf(
      [
        fileJson('foo-1.0-py3-none-any.whl'),
        fileJson('foo-1.0.0.tar.gz'),
        fileJson('foo-2.0rc1.tar.gz'),
        fileJson('foo-1.0+loc.al.tar.gz'),
      ],
      { versions: ['1.0.0', '2.0RC1'] },
    )
    const found = [...groupReleases(record).values()].map(({ version, files }) => [
      version,
      files.length,
    ])
    expect(found).toEqual([
      ['1.0.0', 2],
      ['2.0RC1', 1],
      ['1.0+loc.al', 1],
    ])
  })

  it('leave out a file whose name tells no version, which no installer takes', () => {
    expect(groupReleases(recordOf([fileJson('foo-1.0-variants.json')])).size).toBe(0)
  })

  it('keep a version called __proto__ to themselves', () => {
    const files = [recordFile(wheel)]
    const bytes = renderProjectJson([{ version: '__proto__', files }], { name: 'foo' })
    const { releases } = JSON.parse(decodeUtf8(bytes)) as { releases: object }
    expect(Object.keys(releases)).toEqual(['__proto__'])
  })

  it('are listed without those of which nothing is shown, and none is called the newest', () => {
    const releases = [
      { version: '1.0', files: [recordFile(wheel)] },
      { version: '2.0', files: [] },
    ]
    const bytes = renderProjectJson(releases, { name: 'foo' })
    const json = JSON.parse(decodeUtf8(bytes)) as ReleaseOfJson
    expect(Object.keys(json.releases ?? {})).toEqual(['1.0'])
    expect(json.info).toEqual({ name: 'foo', version: null })
    expect(json.urls).toEqual([])
  })
})

interface FileOfPage {
  filename: string
  url: string
  hashes: Record<string, string>
  'requires-python'?: string
  size?: number
  'upload-time'?: string
  yanked: boolean | string
}

/** What the JSON says of a file, in the words of the page. */
function toPageWords(file: FileOfJson): Partial<FileOfPage> {
  return {
    filename: file.filename,
    url: file.url,
    hashes: file.digests,
    ...(file.requires_python !== null && { 'requires-python': file.requires_python }),
    ...(file.size !== null && { size: file.size }),
    ...(file.upload_time_iso_8601 !== null && { 'upload-time': file.upload_time_iso_8601 }),
    yanked: file.yanked && (file.yanked_reason ?? true),
  }
}

const words = ['filename', 'url', 'hashes', 'requires-python', 'size', 'upload-time', 'yanked']

it('everything that is in the JSON of any record is on its page too, whatever policy says', () => {
  const ruling = fc.constantFrom<Ruling['kind'] | 'keep'>('hide', 'refuse', 'keep')
  const entries = fc.uniqueArray(fc.tuple(anyFile, ruling), {
    maxLength: 8,
    selector: ([{ filename }]) => filename,
  })
  fc.assert(
    fc.property(entries, fc.boolean(), (given, showHidden) => {
      const files: RecordFile[] = given.map(([file]) => ({
        ...file,
        sha256: file.hashes.get('sha256') ?? '',
      }))
      const record = { name: 'foo', files, versions: [], extra: new Map(), byPath: new Map() }
      const rulings = new Map<RecordFile, Ruling>()
      for (const [at, [, kind]] of given.entries()) {
        const file = files[at]
        if (file !== undefined && kind !== 'keep') rulings.set(file, { kind, reason: 'no' })
      }
      const options = { showHidden, links: 'origin' } as const
      const page = JSON.parse(
        decodeUtf8(renderPage(rewritePage(record, rulings, options), 'json-v1')),
      ) as { files: Record<string, unknown>[] }
      const onPage = page.files.map((file) =>
        Object.fromEntries(Object.entries(file).filter(([key]) => words.includes(key))),
      )
      const releases = [...groupReleases(record).values()].map((release) => ({
        ...release,
        files: rewritePage({ ...record, files: release.files }, rulings, options).files,
      }))
      const project = JSON.parse(
        decodeUtf8(renderProjectJson(releases, { name: 'foo' })),
      ) as ReleaseOfJson
      const told = [
        ...releases.flatMap((release) => render(release.files).urls),
        ...Object.values(project.releases ?? {}).flat(),
      ]
      for (const file of told) expect(onPage).toContainEqual(toPageWords(file))
      const versioned = page.files.filter(({ filename }) => !String(filename).endsWith('.odd'))
      expect(told).toHaveLength(2 * versioned.length)
    }),
  )
})
