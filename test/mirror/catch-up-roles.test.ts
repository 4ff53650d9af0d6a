/** A database that was put back from a backup, after people had decided something. */

import { copyFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { allowFiles, denyFiles } from '../../src/mirror/deny-work.ts'
import { listDenials } from '../../src/mirror/deny.ts'
import { readMirror } from '../../src/mirror/open-mirror.ts'
import { hourMs } from './mirror-fixture.ts'
import { expectRefusal } from '../support/expect-refusal.ts'
import { ClaimedMirror } from './claim-fixture.ts'

let it: ClaimedMirror
beforeEach(async () => {
  it = await ClaimedMirror.create()
})
afterEach(() => it.remove())

const database = (): string => join(it.mirror.directory, 'mirror.db')
const kept = (): string => join(it.mirror.root, 'backup.db')

/** As an operator does it: with the journal of SQLite written back. */
async function backUp(): Promise<void> {
  await readMirror(it.mirror.directory, ({ ledger }) =>
    ledger.database.get('PRAGMA wal_checkpoint(TRUNCATE)'),
  )
  await copyFile(database(), kept())
}

async function restore(): Promise<void> {
  for (const suffix of ['-wal', '-shm']) await rm(database() + suffix, { force: true })
  await copyFile(kept(), database())
}

/** The next publication of the mirror, after which no role that a client has seen went back. */
async function syncAndVisit(client: ReturnType<ClaimedMirror['ceremony']['client']>) {
  it.mirror.now += hourMs
  await it.mirror.sync()
  return client.visit(it.mirror.public, it.mirror.now, it.ceremony.projects)
}

async function visit(client: ReturnType<ClaimedMirror['ceremony']['client']>) {
  return client.visit(it.mirror.public, it.mirror.now, it.ceremony.projects)
}

const releases = ['foo-1.0.tar.gz', 'foo-1.1.tar.gz']

describe('what was published after the backup is taken over', () => {
  test('a claim: the project stays with its owner, whose versions go on', async () => {
    await backUp()
    await it.claimWhole()
    const client = it.ceremony.client()
    const seen = await visit(client)
    expect(seen.files['foo']).toEqual(releases)
    await restore()
    const after = await syncAndVisit(client)
    expect(after.files['foo']).toEqual(releases)
    expect(after.snapshot).toBeGreaterThanOrEqual(seen.snapshot ?? 0)
    expect(await it.states()).toMatchObject([{ project: 'foo', state: 'recent', version: 1 }])
    expect((await it.find())?.trust.role).toBe('owner-foo')
    await it.accept(await it.signVersion('1.2'))
    expect(await it.namesOf()).toEqual([...releases, 'foo-1.2.tar.gz'])
    expect(await it.states()).toMatchObject([{ version: 2 }])
  })

  test('a promotion: what the offline key named is not signed by the mirror again', async () => {
    await it.claimWhole()
    await backUp()
    await it.promote()
    await it.accept(await it.signVersion('1.2'))
    const client = it.ceremony.client()
    await visit(client)
    await restore()
    const after = await syncAndVisit(client)
    expect(after.files['foo']).toEqual([...releases, 'foo-1.2.tar.gz'])
    expect(await it.states()).toMatchObject([{ project: 'foo', state: 'promoted', version: 2 }])
    expect((await it.find())?.trust.role).toBe('owner-foo')
  })

  test('an older release that its owner signed is not published a second time', async () => {
    await it.claimWhole()
    await backUp()
    const old = await it.signVersion('1.2')
    await it.accept(old)
    await it.accept(await it.signVersion('1.3'))
    await restore()
    await it.mirror.sync()
    await expectRefusal(() => it.accept(old), 'VERSION_ROLLBACK', /version 2, and 3 was published/)
  })

  test('a claim that was dropped: the mirror goes on signing the project', async () => {
    await it.claimWhole()
    await backUp()
    await it.drop()
    it.mirror.now += hourMs
    await it.mirror.sync()
    const client = it.ceremony.client()
    await visit(client)
    await restore()
    await syncAndVisit(client)
    expect(await it.states()).toEqual([])
    expect((await it.find())?.trust.role).toMatch(/^bins-/)
  })

  test('a denial: what was withdrawn stays withdrawn', async () => {
    await backUp()
    const reason = 'malware'
    await denyFiles({ ...it.mirror.context, project: 'bar', reason })
    const client = it.ceremony.client()
    await visit(client)
    await restore()
    await syncAndVisit(client)
    expect(await readMirror(it.mirror.directory, listDenials)).toMatchObject([
      { project: 'bar', denials: [{ reason, files: 'all' }] },
    ])
    await denyFiles({ ...it.mirror.context, project: 'foo', reason })
    await visit(client)
    expect(await readMirror(it.mirror.directory, listDenials)).toMatchObject([
      { project: 'bar' },
      { project: 'foo' },
    ])
  })

  test('a denial that was taken back does not come back', async () => {
    await denyFiles({ ...it.mirror.context, project: 'bar', reason: 'malware' })
    await backUp()
    await allowFiles({ ...it.mirror.context, project: 'bar' })
    const client = it.ceremony.client()
    await visit(client)
    await restore()
    await syncAndVisit(client)
    expect(await readMirror(it.mirror.directory, listDenials)).toEqual([])
  })

  test('a ceremony: new keys of timestamp and snapshot, which the backup does not know', async () => {
    await backUp()
    const rotate = new Map([
      ['timestamp', undefined],
      ['snapshot', undefined],
    ] as const)
    await it.ceremony.change({ rotate }, await it.ceremony.offline('root-1'))
    const client = it.ceremony.client()
    const seen = await visit(client)
    expect(seen.root).toBe(2)
    await restore()
    const after = await syncAndVisit(client)
    expect(after.root).toBe(2)
    expect(after.timestamp).toBeGreaterThanOrEqual(seen.timestamp ?? 0)
    it.mirror.now += hourMs
    await it.ceremony.change({ isRenewal: true }, ...(await offlineSigners()))
    expect((await visit(client)).root).toBe(3)
  })

  test('another number of bins, and with it bins that are only listed', async () => {
    await backUp()
    for (const bins of [8, 32]) {
      await it.ceremony.change({ bins }, await it.ceremony.offline('bins'))
    }
    const client = it.ceremony.client()
    await visit(client)
    await restore()
    const after = await syncAndVisit(client)
    expect(after.files).toMatchObject({ foo: ['foo-1.0.tar.gz'], bar: ['bar-1.0.tar.gz'] })
    expect((await it.mirror.status()).bins).toBe(32)
    await it.mirror.putPage('bar', ['bar-1.0.tar.gz', 'bar-2.0.tar.gz'])
    const last = await syncAndVisit(client)
    expect(last.files['bar']).toEqual(['bar-1.0.tar.gz', 'bar-2.0.tar.gz'])
  })

  test('whatever is asked of the mirror first: a ceremony too is prepared from what is published', async () => {
    await backUp()
    await it.ceremony.change({ isRenewal: true }, ...(await offlineSigners()))
    const client = it.ceremony.client()
    expect((await visit(client)).root).toBe(2)
    await restore()
    it.mirror.now += hourMs
    await it.ceremony.change({ isRenewal: true }, ...(await offlineSigners()))
    expect((await visit(client)).root).toBe(3)
  })
})

async function offlineSigners() {
  const names = ['root-1', 'targets', 'claimed', 'bins']
  return Promise.all(names.map((name) => it.ceremony.offline(name)))
}
