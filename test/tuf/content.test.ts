import { describe, test } from 'vitest'
import { encodeUtf8 } from '../../src/base/bytes.ts'
import { digestHex } from '../../src/base/digest.ts'
import { requireContent } from '../../src/tuf/content.ts'
import { expectRefusal } from '../support/expect-refusal.ts'

const bytes = encodeUtf8('content')
const algorithms = ['sha256', 'sha384', 'sha512', 'blake2b-256'] as const

function fileWith(
  hashes: Record<string, string>,
  length = bytes.length,
): Parameters<typeof requireContent>[2] {
  return { length, hashes: new Map(Object.entries(hashes)) }
}

describe('the content of a target', () => {
  test.each(algorithms)('matches its %s', (name) => {
    requireContent('a', bytes, fileWith({ [name]: digestHex(name, bytes) }))
  })

  test.each(algorithms)(
    'is refused where its %s is another, though the other hashes match',
    async (name) => {
      const hashes = Object.fromEntries(algorithms.map((other) => [other, digestHex(other, bytes)]))
      requireContent('a', bytes, fileWith(hashes))
      const wrong = { ...hashes, [name]: digestHex(name, encodeUtf8('other')) }
      await expectRefusal(
        () => requireContent('a', bytes, fileWith(wrong)),
        'DIGEST_MISMATCH',
        `${name} of a is not the signed one`,
      )
    },
  )

  test.each([-1, 1])('is refused where its length differs by %i', async (difference) => {
    const file = fileWith({ sha256: digestHex('sha256', bytes) }, bytes.length + difference)
    await expectRefusal(
      () => requireContent('a', bytes, file),
      'LENGTH_MISMATCH',
      `a is 7 bytes long instead of the signed ${7 + difference}`,
    )
  })

  test('is refused with a hash of unknown algorithm alone, and unharmed by one among others', async () => {
    requireContent('a', bytes, fileWith({ md5: 'x', sha256: digestHex('sha256', bytes) }))
    await expectRefusal(
      () => requireContent('a', bytes, fileWith({ md5: 'x' })),
      'UNSUPPORTED',
      'signed with no hash that is known here',
    )
    await expectRefusal(
      () => requireContent('a', bytes, fileWith({ constructor: 'x' })),
      'UNSUPPORTED',
      'no hash that is known',
    )
  })

  test('does not take blake2b-256 for the beginning of blake2b-512', async () => {
    const sha512 = digestHex('sha512', bytes).slice(0, 64)
    await expectRefusal(
      () => requireContent('a', bytes, fileWith({ 'blake2b-256': sha512 })),
      'DIGEST_MISMATCH',
      'blake2b-256 of a',
    )
  })
})
