/** What the mirror never publishes, whatever owners hand in. */

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createKey, dayMs, localFile, shownFile } from '../owner/maintainer.ts'
import { expectRefusal } from '../support/expect-refusal.ts'
import { ClaimedMirror } from './claim-fixture.ts'
import { digestOf } from './mirror-fixture.ts'

let template: ClaimedMirror
let it: ClaimedMirror
let count = 0
beforeAll(async () => {
  template = await ClaimedMirror.create()
})
beforeEach(async () => {
  it = await template.copy(`test-${(count += 1)}`)
})
afterAll(() => template.remove())

const [first, second] = ['foo-1.0.tar.gz', 'foo-1.1.tar.gz']

describe('a release is not published', () => {
  test('without a claim', async () => {
    const release = await it.signVersion('1.1')
    await expectRefusal(() => it.accept(release), 'CONFIG_INVALID', 'Nobody has claimed foo')
  })

  test('by another key than the claimed one, of another project than the own', async () => {
    await it.claimWhole()
    const thief = await createKey()
    const foreign = await it.sign({}, 'foo', thief)
    await expectRefusal(() => it.accept(foreign), 'SIGNATURE_THRESHOLD', 'the claim of foo')
    const neighbour = await it.sign({}, 'bar')
    await expectRefusal(() => it.accept(neighbour), 'CONFIG_INVALID', 'Nobody has claimed bar')
  })

  test('when its version is not new, or leaps', async () => {
    await it.claim()
    const older = await it.signVersion('1.1')
    await it.accept(await it.signVersion('1.2'))
    await expectRefusal(() => it.accept(older), 'VERSION_ROLLBACK', '1 was published already')
    const view = {
      version: 1_000_000,
      denials: [],
      isOwned: true,
      record: (await it.find())!.record,
    }
    const leap = await it.sign({ view })
    await expectRefusal(() => it.accept(leap), 'VERSION_ROLLBACK', 'leaps to version 1000001')
  })

  test('when it expires too soon or too late', async () => {
    await it.claim()
    const soon = await it.signVersion('1.1', { lifetimeMs: 1000 })
    await expectRefusal(() => it.accept(soon), 'EXPIRED', 'expires too soon')
    const late = await it.signVersion('1.1', { lifetimeMs: 3 * 366 * dayMs })
    await expectRefusal(() => it.accept(late), 'RECORD_REFUSED', 'expires too late')
  })

  test('with another sha256 for a name that was ever signed', async () => {
    await it.claim()
    const page = { files: [shownFile(first, 'rebuilt')] }
    const view = { version: 0, denials: [], isOwned: false }
    const release = await it.sign({ view, page, local: [localFile(first, 'rebuilt')] })
    const refusal = await expectRefusal(
      () => it.accept(release),
      'RECORD_REFUSED',
      `${first}: its name was signed with another sha256`,
    )
    expect(refusal.facts).toMatchObject({ expected: digestOf(first), found: digestOf('rebuilt') })
  })

  test('with another sha256 for another spelling of a name that was ever signed', async () => {
    await it.claim()
    const spelled = first.replace('foo', 'Foo').replace('1.0', '1.0.0')
    const page = { files: [shownFile(spelled, 'rebuilt')] }
    const release = await it.sign({ page, local: [localFile(spelled, 'rebuilt')] })
    await expectRefusal(
      () => it.accept(release),
      'RECORD_REFUSED',
      `${spelled}: its name was signed with another sha256, as ${first}`,
    )
  })

  test.each([
    ['another host', 'https://evil.test/files/foo-1.1.tar.gz'],
    ['this machine', 'http://127.0.0.1/files/foo-1.1.tar.gz'],
    ['a private address', 'http://10.0.0.1/files/foo-1.1.tar.gz'],
  ])('with a file on %s', async (_what, url) => {
    await it.claim()
    const page = { files: [{ ...shownFile(second), url }] }
    const release = await it.sign({ page, local: [localFile(second)] })
    await expectRefusal(() => it.accept(release), 'RECORD_REFUSED', 'not in file-hosts')
  })

  test('with a new file whose first sight is dated back', async () => {
    await it.claim()
    const release = await it.signVersion('1.1', {
      now: it.mirror.now - 30 * dayMs,
      view: oldView(),
    })
    await expectRefusal(() => it.accept(release), 'RECORD_REFUSED', 'its first sight')
  })

  test('when one of several is refused: none of them is', async () => {
    await it.claim()
    const good = await it.signVersion('1.1')
    const bad = await it.sign({}, 'bar')
    await expectRefusal(() => it.accept(good, bad), 'CONFIG_INVALID', 'Nobody has claimed bar')
    expect((await it.find())?.trust.role).toMatch(/^bins-/)
    await expectRefusal(() => it.accept(good, good), 'CONFIG_INVALID', 'Two releases of foo')
  })
})

function oldView() {
  return { version: 0, denials: [], isOwned: false }
}
