import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Bytes } from '../../src/base/bytes.ts'
import { checkRelease } from '../../src/mirror/accept-release.ts'
import { openMirror, readMirror } from '../../src/mirror/open-mirror.ts'
import { settings } from '../../src/mirror/settings.ts'
import { changeShape } from '../../src/mirror/shape.ts'
import { addReleaseSignature } from '../../src/owner/release.ts'
import type { Signer } from '../../src/signing/signer.ts'
import { expectRefusal } from '../support/expect-refusal.ts'
import {
  claimFor,
  createKey,
  dayMs,
  localFile,
  openClient,
  shownFile,
} from '../owner/maintainer.ts'
import { ClaimedMirror } from './claim-fixture.ts'

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
const releaseFoo = (): string[] => ['owner-foo']

/** A claim by other keys that the owner of now has signed, a second later. */
async function handOver(next: Signer): Promise<Bytes> {
  const now = it.mirror.now + 1000
  it.mirror.now = now
  return claimFor('foo', [next], { now, old: [it.owner] })
}

describe('a project that signs for itself', () => {
  test('goes from the bins to its owner with the first release, and not before', async () => {
    await it.claim()
    expect((await it.find())?.trust.role).toMatch(/^bins-/)
    await it.accept(await it.signVersion('1.1'))
    const found = await it.find()
    expect(found?.trust.role).toBe('owner-foo')
    expect(found?.record.files.map(({ filename }) => filename)).toEqual([first, second])
    expect((await it.find('bar'))?.trust.role).toMatch(/^bins-/)
    expect(await it.mirror.findRecord('foo')).toBeUndefined()
  })

  test('is promoted by a ceremony, and leaves what the online key names', async () => {
    await it.claimWhole()
    expect(await it.states()).toMatchObject([{ project: 'foo', state: 'recent', version: 1 }])
    await it.promote()
    expect(await it.states()).toMatchObject([{ project: 'foo', state: 'promoted', version: 1 }])
    expect((await it.find())?.trust.role).toBe('owner-foo')
    const { meta } = await it.mirror.readMetadata(
      `${(await it.mirror.readMetadata('timestamp')).meta['snapshot.json']!.version}.snapshot`,
    )
    const recent = await it.mirror.readMetadata(
      `${meta['recently-claimed.json']!.version}.recently-claimed`,
    )
    expect(JSON.stringify(recent)).not.toContain('owner-foo')
  })

  test('goes on with releases of its owner, recent or promoted', async () => {
    await it.claimWhole()
    await it.accept(await it.signVersion('1.2'))
    await it.promote()
    await it.accept(await it.signVersion('1.3'))
    expect(await it.namesOf()).toEqual([first, second, 'foo-1.2.tar.gz', 'foo-1.3.tar.gz'])
    expect(await it.states()).toMatchObject([{ version: 3 }])
  })

  test('is followed by a client that has seen it before, at each step', async () => {
    const client = it.ceremony.client()
    const visit = () => client.visit(it.mirror.public, it.mirror.now, ['foo'])
    expect((await visit()).files['foo']).toEqual([first])
    await it.claimWhole()
    expect((await visit()).files['foo']).toEqual([first, second])
    await it.promote()
    await it.accept(await it.signVersion('1.2'))
    expect((await visit()).files['foo']).toEqual([first, second, 'foo-1.2.tar.gz'])
  })

  test('stays in the signed list of projects, and in what is counted', async () => {
    await it.claimWhole()
    const names = await readMirror(it.mirror.directory, ({ ledger }) => ledger.listNames('', 10))
    expect(names).toContain('foo')
  })

  test('may be new to the mirror', async () => {
    const owner = await createKey()
    await it.claim('new-one', owner)
    const name = 'new_one-1.0.tar.gz'
    const parts = { local: [localFile(name)], page: { files: [shownFile(name)] } }
    await it.accept(await it.sign(parts, 'new-one', owner))
    expect(await it.namesOf('new-one')).toEqual([name])
  })

  test('is published by whatever comes next, where the acceptance was cut off', async () => {
    await it.claim()
    const release = await it.signVersion('1.1')
    const mirror = await openMirror(it.mirror.directory, it.mirror.context)
    const options = { isAllowedUrl: () => true, now: it.mirror.now }
    await checkRelease(mirror, release, options).put()
    await mirror.close()
    expect((await it.find())?.trust.role).toMatch(/^bins-/)
    await it.mirror.renew()
    expect((await it.find())?.trust.role).toBe('owner-foo')
    expect((await it.accept(release)).accepted).toMatchObject([{ isNew: false }])
  })

  test('a second acceptance of the same release changes nothing', async () => {
    await it.claim()
    const release = await it.signVersion('1.1')
    await it.accept(release)
    const { accepted, published } = await it.accept(release)
    expect([accepted[0]?.isNew, published]).toEqual([false, undefined])
  })
})

describe('a claim', () => {
  test('is told to be known, and a second one is not taken while the first is pending', async () => {
    await it.claim()
    const again = await claimFor('foo', [it.owner], { now: it.mirror.now })
    expect((await it.add(again)).kind).toBe('known')
    const other = await claimFor('foo', [await createKey()], { now: it.mirror.now })
    await expectRefusal(() => it.add(other), 'CONFIG_INVALID', 'foo has another claim already')
  })

  test('of the future is refused', async () => {
    const claim = await claimFor('foo', [it.owner], { now: it.mirror.now + dayMs })
    await expectRefusal(() => it.add(claim), 'CLOCK_WRONG', 'made in the future')
  })

  test('that is dropped gives the project back to the mirror', async () => {
    await it.claimWhole()
    await it.drop()
    expect((await it.find())?.trust.role).toMatch(/^bins-/)
    expect(await it.namesOf()).toEqual([first, second])
    expect(await it.states()).toEqual([])
    await expectRefusal(() => it.drop(), 'CONFIG_INVALID', 'Nobody has claimed foo')
  })

  test('that was dropped can be made again, and its versions go on', async () => {
    await it.claimWhole()
    await it.drop()
    await it.claim()
    await it.accept(await it.signVersion('1.2'))
    expect(await it.states()).toMatchObject([{ state: 'recent', version: 2 }])
    expect((await it.find())?.trust.role).toBe('owner-foo')
  })

  test('that is promoted is dropped by a ceremony alone', async () => {
    await it.claimWhole()
    await it.promote()
    await expectRefusal(() => it.drop(), 'CONFIG_INVALID', 'the offline role claimed names')
    await it.ceremony.change({ listReleased: releaseFoo }, await it.ceremony.offline('claimed'))
    expect(await it.states()).toEqual([])
    expect((await it.find())?.trust.role).toMatch(/^bins-/)
    expect(await it.namesOf()).toEqual([first, second])
  })

  test('that is pending cannot be promoted', async () => {
    await it.claim()
    await expectRefusal(() => it.promote(['foo']), 'CONFIG_INVALID', 'cannot be promoted')
    await expectRefusal(() => it.promote(['bar']), 'CONFIG_INVALID', 'cannot be promoted')
    await expectRefusal(() => it.promote(), 'CONFIG_INVALID', 'There is no claim to promote')
  })
})

describe('several owners', () => {
  test('sign with the threshold that they have claimed', async () => {
    const friend = await createKey('ecdsa-p256')
    const keys = [it.owner, friend]
    await it.add(await claimFor('foo', keys, { now: it.mirror.now, threshold: 2 }))
    const release = await it.signVersion('1.1')
    await expectRefusal(() => it.accept(release), 'SIGNATURE_THRESHOLD', '1 of the 2 keys')
    await it.accept(await addReleaseSignature(release, friend))
    expect((await it.find())?.trust.role).toBe('owner-foo')
  })
})

describe('new keys of an owner', () => {
  test('take over with the first release that they sign', async () => {
    await it.claimWhole()
    const next = await createKey()
    expect((await it.add(await handOver(next))).kind).toBe('handover')
    await it.accept(await it.signVersion('1.2'))
    const { accepted } = await it.accept(await it.sign({}, 'foo', next))
    expect(accepted).toMatchObject([{ isHandover: true, version: 3 }])
    expect((await it.find())?.trust.role).toBe('owner-foo')
    const old = await it.sign()
    await expectRefusal(() => it.accept(old), 'SIGNATURE_THRESHOLD', '0 of the 1 keys')
  })

  test('that the old ones have not signed are refused', async () => {
    await it.claimWhole()
    const now = it.mirror.now + 1000
    it.mirror.now = now
    const claim = await claimFor('foo', [await createKey()], { now })
    await expectRefusal(() => it.add(claim), 'SIGNATURE_THRESHOLD', 'the present claim of foo')
  })

  test('of before are not played again', async () => {
    await it.claimWhole()
    const next = await createKey()
    const older = await handOver(next)
    await it.add(await handOver(await createKey()))
    await expectRefusal(() => it.add(older), 'VERSION_ROLLBACK', 'older than the one of now')
  })

  test('of a promoted project are named by a ceremony, once a release is signed by both', async () => {
    await it.claimWhole()
    await it.promote()
    const next = await createKey()
    await it.add(await handOver(next))
    const byNew = await it.sign({}, 'foo', next)
    await expectRefusal(() => it.accept(byNew), 'SIGNATURE_THRESHOLD', '0 of the 1 keys')
    const refusal = await expectRefusal(
      () => it.promote(),
      'HELD',
      'claimed cannot name the owners',
    )
    expect(refusal.facts.next).toContain('signed by the keys of now and the new ones')
    await it.accept(await addReleaseSignature(await it.sign(), next))
    await it.promote()
    expect((await it.find())?.trust.role).toBe('owner-foo')
    await it.accept(await it.sign({}, 'foo', next))
    expect(await it.states()).toMatchObject([{ state: 'promoted', version: 3 }])
    expect((await it.states())[0]?.next).toBeUndefined()
  })
})

describe('on a mirror that signs each file and each page in HTML', () => {
  beforeEach(() => changeShape(it.mirror.context, { signsFiles: true, signsHtml: true }))

  test('owners have to sign them too', async () => {
    await it.claim()
    const bare = await it.signVersion('1.1')
    await expectRefusal(() => it.accept(bare), 'RECORD_REFUSED', 'as a file of its own')
    const withFiles = await it.signVersion('1.1', { signsFiles: true })
    await expectRefusal(() => it.accept(withFiles), 'RECORD_REFUSED', 'its page in HTML')
    await it.accept(await it.signVersion('1.1', { signsFiles: true, signsHtml: true }))
    const client = await openClient(it.mirror.public, it.mirror.now)
    const { byPath } = (await client.findRecord('foo'))!.record
    const served = [...byPath.values()].find(({ file }) => file.filename === second)!
    expect((await client.requireSignedFile('foo', served)).size).toBe(second.length)
  })
})

describe('a sync', () => {
  test('signs nothing of a claimed project, and says once what the index shows', async () => {
    await it.claimWhole()
    await it.mirror.putPage('foo', [first, second, 'foo-6.6.tar.gz'])
    it.mirror.takeEvents('warning')
    await it.sync()
    const [warning] = it.mirror.takeEvents('warning')
    expect(warning?.message).toContain(
      'foo: the index differs from what its maintainers have signed, which stays',
    )
    expect(await it.namesOf()).toEqual([first, second])
    await it.sync({ all: true, full: true })
    expect(it.mirror.takeEvents('warning')).toEqual([])
  })

  test('does not follow an index that changes or hides what its owner has signed', async () => {
    await it.claimWhole()
    await it.mirror.putPage('foo', [{ filename: first, content: 'evil' }])
    await it.sync()
    expect(await it.namesOf()).toEqual([first, second])
    const files = (await it.find())?.record.files ?? []
    expect(files.map(({ removed, conflict }) => [removed, conflict])).toEqual([
      [undefined, undefined],
      [undefined, undefined],
    ])
    await it.mirror.dropPage('foo')
    await it.sync()
    expect(await it.namesOf()).toEqual([first, second])
  })

  test('takes the project up again where its claim was dropped', async () => {
    await it.claimWhole()
    await it.drop()
    await it.mirror.putPage('foo', [first, second, 'foo-1.2.tar.gz'])
    await it.sync()
    expect(await it.namesOf()).toEqual([first, second, 'foo-1.2.tar.gz'])
  })
})

describe('an owner whose signature expires', () => {
  test('is warned of by the mirror 30 days before', async () => {
    await it.claimWhole()
    const [state] = await it.states()
    expect(state?.expires).toBe(it.mirror.now + 365 * dayMs)
  })

  test('has his project refused, with a reason, and no other', async () => {
    await it.claim()
    await it.accept(await it.signVersion('1.1', { lifetimeMs: 2 * dayMs }))
    it.mirror.now += 3 * dayMs
    await it.sync()
    const refusal = await expectRefusal(
      () => it.find(),
      'EXPIRED',
      'The maintainers of foo sign it themselves, and their signature expired at 2026-03-03',
    )
    expect(refusal.facts).toMatchObject({ role: 'owner-foo' })
    expect(await it.namesOf('bar')).toEqual(['bar-1.0.tar.gz'])
  })

  test('can sign again from what has expired', async () => {
    await it.claim()
    await it.accept(await it.signVersion('1.1', { lifetimeMs: 2 * dayMs }))
    it.mirror.now += 3 * dayMs
    await it.sync()
    await it.accept(await it.sign())
    expect(await it.namesOf()).toEqual([first, second])
  })
})

test('an owner who is the first to sign his project here gets it into the signed list', async () => {
  const mirror = await openMirror(it.mirror.directory, it.mirror.context)
  mirror.settings.put(settings.hasProjectList, true)
  await mirror.close()
  const owner = await createKey()
  await it.claim('new-one', owner)
  const name = 'new_one-1.0.tar.gz'
  const parts = { local: [localFile(name)], page: { files: [shownFile(name)] } }
  await it.accept(await it.sign(parts, 'new-one', owner))
  const client = await openClient(it.mirror.public, it.mirror.now)
  expect((await client.findProjectList())?.names).toContain('new-one')
})
