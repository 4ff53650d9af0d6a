import { expect, test } from 'vitest'
import { createRequestIds } from '../../src/proxy/request-id.ts'
import { findRequestIds, isRequestId } from '../../src/explain/find-request-ids.ts'

test('knows every id that the proxy makes', () => {
  const next = createRequestIds()
  for (let at = 0; at < 1000; at += 1) expect(isRequestId(next())).toBe(true)
})

test.each([
  'r-eo64k2m5',
  ' r-eo64k2m5\n',
  'ERROR: 403 Client Error: Refused by tufgate: sha256 of foo-1.1-py3-none-any.whl is not the signed one (r-eo64k2m5) for url: http://127.0.0.1:8642/files/foo/x/foo-1.1-py3-none-any.whl',
  'Refused by tufgate: it is [r-eo64k2m5]',
  'http://127.0.0.1:8642/-/refused/r-eo64k2m5',
  '{"detail":"it is (r-eo64k2m5)","instance":"urn:tufgate:request:r-eo64k2m5"}',
  'X-Request-Id: r-eo64k2m5',
  '--id=r-eo64k2m5,',
  // A file whose name looks like an id.
  'Refused by tufgate: sha256 of r-packages is not the signed one (r-eo64k2m5) for url: /r-packaged/',
])('finds the id in %s', (text) => {
  expect(findRequestIds(text)).toEqual(['r-eo64k2m5'])
})

test('finds each of several once, in their order', () => {
  expect(findRequestIds('(r-aaaaaaaa) x (r-bbbbbbbb) y (r-aaaaaaaa)')).toEqual([
    'r-aaaaaaaa',
    'r-bbbbbbbb',
  ])
})

test.each(['', 'nothing', 'r-short', 'r-EO64K2M5', 'r-eo64k2m51', 'xr-eo64k2m5', 'r-eo64k1m5'])(
  'finds none in "%s"',
  (text) => {
    expect(findRequestIds(text)).toEqual([])
  },
)

test('is quick on whatever is pasted', () => {
  expect(findRequestIds(`${'(r-aaaaaaa'.repeat(100_000)}(r-bbbbbbbb)`)).toEqual([])
})
