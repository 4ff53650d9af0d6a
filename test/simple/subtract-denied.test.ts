import { describe, expect, test } from 'vitest'
import { encodeUtf8 } from '../../src/base/bytes.ts'
import { parseDenials, renderDenials, type Denial } from '../../src/simple/denial.ts'
import { parseRecord, type ProjectRecord, type RecordFile } from '../../src/simple/record.ts'
import { rewritePage } from '../../src/simple/rewrite.ts'
import { subtractDenied } from '../../src/simple/subtract-denied.ts'
import { expectRefusal } from '../support/expect-refusal.ts'
import { fileJson, pageJson, sha256Of } from '../support/pages.ts'

const since = Date.parse('2026-04-01T00:00:00Z')
const first = 'foo-1.0-py3-none-any.whl'
const second = 'foo-1.1-py3-none-any.whl'

function buildRecord(): ProjectRecord {
  const metadata = { 'core-metadata': { sha256: sha256Of('e') } }
  return parseRecord(pageJson('foo', [fileJson(first, metadata), fileJson(second)]), 'foo')
}

function deny(files: Denial['files'], reason = 'malware'): Denial {
  return { reason, since, files }
}

function withoutDenial(file: RecordFile): RecordFile {
  const { denied, ...rest } = file
  expect(denied?.reason ?? 'malware').toBe('malware')
  return rest
}

describe('what a mirror has withdrawn', () => {
  test('is the same after it was written and read', () => {
    const denials = [deny([first]), deny('all', 'quarantine of 2026-04')]
    expect(parseDenials(renderDenials('foo', denials), 'foo')).toEqual(denials)
  })

  test.each([
    ['{"name":"bar","denied":[]}', 'expected foo'],
    ['{"name":"foo"}', 'denied: expected a list'],
    ['{"name":"foo","denied":[{"since":"2026-04-01T00:00:00Z","files":"all"}]}', 'reason'],
    [
      '{"name":"foo","denied":[{"reason":" ","since":"2026-04-01T00:00:00Z","files":"all"}]}',
      'expected a reason',
    ],
    ['{"name":"foo","denied":[{"reason":"a","since":"yesterday","files":"all"}]}', 'since'],
    ['{"name":"foo","denied":[{"reason":"a","since":"2026-04-01T00:00:00Z"}]}', 'files'],
    [
      '{"name":"foo","denied":[{"reason":"a","since":"2026-04-01T00:00:00Z","files":["../x"]}]}',
      'not a file name',
    ],
    [
      '{"name":"foo","denied":[{"reason":"a","since":"2026-04-01T00:00:00Z","files":[],"version":" "}]}',
      'expected a version',
    ],
    ['[]', 'object'],
  ])('is refused as malformed: %s', async (text, problem) => {
    await expectRefusal(() => parseDenials(encodeUtf8(text), 'foo'), 'MALFORMED', problem)
  })

  test('is shown as yanked with the reason, and marked where it is asked for', () => {
    const record = subtractDenied(buildRecord(), [deny([first])])
    expect(record.files.map(({ denied }) => denied?.reason)).toEqual(['malware', undefined])
    const page = rewritePage(record, new Map(), { showHidden: false })
    expect(page.files.map(({ yanked }) => yanked)).toEqual([
      'withdrawn since 2026-04-01T00:00:00Z: malware',
      undefined,
    ])
    const marks = [...record.byPath.values()].map(({ kind, file }) => [kind, file.denied?.reason])
    expect(marks).toEqual([
      ['file', 'malware'],
      ['metadata', 'malware'],
      ['file', undefined],
    ])
  })

  test('takes the reason that was given for the file itself before one for all', () => {
    const denials = [deny('all', 'quarantine'), deny([second], 'malware'), deny([second], 'later')]
    const { files } = subtractDenied(buildRecord(), denials)
    expect(files.map(({ denied }) => denied?.reason)).toEqual(['quarantine', 'malware'])
  })

  test('can neither add a file nor change one', () => {
    const record = buildRecord()
    const subtracted = subtractDenied(record, [deny(['foo-9.9-py3-none-any.whl', first])])
    expect(subtracted.files.map((file) => withoutDenial(file))).toEqual(record.files)
    expect([...subtracted.byPath.keys()]).toEqual([...record.byPath.keys()])
    const digests = [...subtracted.byPath.values()].map(({ sha256, url }) => [sha256, url])
    expect(digests).toEqual([...record.byPath.values()].map(({ sha256, url }) => [sha256, url]))
  })

  test('takes every file of a version, however it is written, and not those of another', () => {
    const names = [
      'foo-1.0-py3-none-any.whl',
      'foo-1.0.0-cp314-cp314-linux_x86_64.whl',
      'foo-1.0+local-py3-none-any.whl',
      'foo-1.0.1-py3-none-any.whl',
      'foo-1.0rc1.tar.gz',
    ]
    const record = parseRecord(
      pageJson(
        'foo',
        names.map((name) => fileJson(name)),
      ),
      'foo',
    )
    const denials = [{ ...deny([]), version: 'v1' }]
    expect(parseDenials(renderDenials('foo', denials), 'foo')).toEqual(denials)
    const { files } = subtractDenied(record, denials)
    const taken = files.flatMap(({ filename, denied }) => (denied ? filename : []))
    expect(taken).toEqual(names.slice(0, 3))
    const local = subtractDenied(record, [{ ...deny([]), version: '1.0+local' }])
    expect(local.files.flatMap(({ filename, denied }) => (denied ? filename : []))).toEqual([
      names[2],
    ])
  })

  test('leaves a record alone of which it names no file', () => {
    const record = buildRecord()
    expect(subtractDenied(record, [deny(['other-1.0.tar.gz'])])).toBe(record)
    expect(subtractDenied(record, [])).toBe(record)
  })
})
