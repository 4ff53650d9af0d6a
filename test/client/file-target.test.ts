import { describe, expect, test } from 'vitest'
import { requireFileTarget } from '../../src/client/file-target.ts'
import { parseRecord, type ServedPath } from '../../src/simple/record.ts'
import { caught } from '../support/caught.ts'

const sha256 = 'a'.repeat(64)

function serve(size?: number): ServedPath {
  const file = {
    filename: 'foo-1.0.tar.gz',
    url: 'https://files.test/foo-1.0.tar.gz',
    hashes: { sha256 },
    size,
  }
  const page = { meta: { 'api-version': '1.4' }, name: 'foo', versions: ['1.0'], files: [file] }
  const record = parseRecord(Buffer.from(JSON.stringify(page)), 'foo')
  return record.byPath.get('files.test/foo-1.0.tar.gz')!
}

const target = { length: 5, hashes: new Map([['sha256', sha256]]) }

describe('a file that must be signed by itself', () => {
  test('has the length of its target, also where the record has none', () => {
    expect(requireFileTarget(serve(5), target)).toMatchObject({ size: 5 })
    expect(requireFileTarget(serve(), target)).toMatchObject({ size: 5 })
  })

  test('is refused without a target', () => {
    expect(caught(() => requireFileTarget(serve(5), undefined))).toMatchObject({
      code: 'RECORD_REFUSED',
      message: 'foo-1.0.tar.gz is not signed as a file of its own',
    })
  })

  test.each([new Map([['sha256', 'b'.repeat(64)]]), new Map([['sha512', 'a'.repeat(128)]])])(
    'is refused where its target has another digest (%o)',
    (hashes) => {
      expect(caught(() => requireFileTarget(serve(5), { length: 5, hashes }))).toMatchObject({
        code: 'DIGEST_MISMATCH',
        message: 'foo-1.0.tar.gz is signed with two digests',
      })
    },
  )

  test('is refused where its target has another length', () => {
    expect(caught(() => requireFileTarget(serve(6), target))).toMatchObject({
      code: 'LENGTH_MISMATCH',
      message: 'foo-1.0.tar.gz is signed with two lengths',
      facts: { expected: '6 bytes', found: '5 bytes' },
    })
  })
})
