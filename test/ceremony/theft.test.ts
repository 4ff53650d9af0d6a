import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { readChecked } from './ceremony-fixture.ts'
import type { PrepareOptions } from '../../src/ceremony/prepare-change.ts'
import type { Signer } from '../../src/signing/signer.ts'
import { serveStatic, type StaticServer } from '../mirror/static-server.ts'
import { expectRefusal } from '../support/expect-refusal.ts'
import { Ceremony, newPerson } from './ceremony-fixture.ts'
import type { ReturningClient, Seen } from './returning-client.ts'
import { farVersion, Thief } from './thief.ts'
import { TufJsClient } from './tuf-js-client.ts'

let ceremony: Ceremony
let server: StaticServer
let evilServer: StaticServer
let tufJs: TufJsClient
let client: ReturningClient
let thief: Thief
beforeEach(async () => {
  ceremony = await Ceremony.create()
  // tuf-js reads the clock of the machine.
  ceremony.mirror.now = Date.now()
  await ceremony.mirror.sync()
  server = await serveStatic(ceremony.mirror.public)
  thief = await Thief.copy(ceremony.mirror.public, join(ceremony.mirror.root, 'evil'))
  evilServer = await serveStatic(thief.folder)
  tufJs = new TufJsClient(join(ceremony.mirror.root, 'tuf-js'))
  client = ceremony.client()
  await visit()
  await visitTufJs()
})
afterEach(async () => {
  server.close()
  evilServer.close()
  await ceremony.remove()
})

const visit = (): Promise<Seen> =>
  client.visit(ceremony.mirror.public, ceremony.mirror.now, ceremony.projects)
const visitThief = (): Promise<Seen> => client.visit(thief.folder, ceremony.mirror.now, ['foo'])
const visitTufJs = (): Promise<string[]> =>
  tufJs.visit(ceremony.mirror.public, server.origin, 'foo')
const visitThiefTufJs = (): Promise<string[]> =>
  tufJs.visit(ceremony.mirror.public, evilServer.origin, 'foo')

const evilRecord = JSON.stringify({
  meta: { 'api-version': '1.1' },
  name: 'foo',
  versions: ['6.6.6'],
  files: [
    {
      filename: 'foo-6.6.6.tar.gz',
      url: 'https://files.test/foo-6.6.6.tar.gz',
      hashes: { sha256: '66'.repeat(32) },
      size: 6,
    },
  ],
})

const requireRollback = (): Promise<unknown> =>
  expectRefusal(visit, 'VERSION_ROLLBACK', 'went back from version 2147483648')

/** Clients refuse what is honest, until the change is published; then they go on by themselves. */
async function requireRecovery(
  options: Omit<PrepareOptions, 'directory' | 'clock' | 'report'>,
  signers: readonly Signer[],
  requireHarm: () => Promise<unknown> = requireRollback,
): Promise<void> {
  await requireHarm()
  await ceremony.change(options, ...signers)
  const after = await visit()
  expect(after).toMatchObject({ root: 2 })
  for (const name of ceremony.projects) expect(after.files[name]).toEqual([`${name}-1.0.tar.gz`])
  expect(after.timestamp).toBeLessThan(1000)
  expect(after.snapshot).toBeLessThan(1000)
  // What the thief has put into the world is worth nothing any more.
  await expectRefusal(visitThief, 'SIGNATURE_THRESHOLD', 'timestamp is signed by 0 of the 1 keys')
  expect(await visit()).toMatchObject({ root: 2 })
}

const online = (role: string): Promise<Signer> => ceremony.online(role)
const offline = (...names: readonly string[]): Promise<Signer[]> =>
  Promise.all(names.map((name) => ceremony.offline(name)))

describe('after the theft of the key of', () => {
  test('timestamp, with its version driven up', async () => {
    await thief.putTimestamp(await online('timestamp'))
    expect(await visitThief()).toMatchObject({ timestamp: farVersion })
    await visitThiefTufJs()
    await expect(visitTufJs()).rejects.toThrow(/version/i)
    await requireRecovery({ stolen: [{ role: 'timestamp' }] }, await offline('root-1'))
    expect(await visitTufJs()).toEqual(['foo-1.0.tar.gz'])
  })

  test('snapshot, with its version and those of all bins driven up', async () => {
    const snapshot = await thief.putSnapshot(await online('snapshot'))
    await thief.putTimestamp(await online('timestamp'), snapshot)
    await expectRefusal(visitThief, 'METADATA_UNAVAILABLE', /./)
    await expect(visitThiefTufJs()).rejects.toThrow()
    await expect(visitTufJs()).rejects.toThrow(/version/i)
    await requireRecovery({ stolen: [{ role: 'snapshot' }] }, await offline('root-1'))
    expect(await visitTufJs()).toEqual(['foo-1.0.tar.gz'])
  })

  test('bins-NN together with those above it, and clients that took an evil file for good', async () => {
    const entries = await thief.putBins(await online('bins-nn'), 'foo', evilRecord)
    const snapshot = await thief.putSnapshot(await online('snapshot'), entries)
    await thief.putTimestamp(await online('timestamp'), snapshot)
    expect(await visitThief()).toMatchObject({ files: { foo: ['foo-6.6.6.tar.gz'] } })
    expect(await visitThiefTufJs()).toEqual(['foo-6.6.6.tar.gz'])
    await requireRecovery({ stolen: [{ role: 'bins-nn' }] }, await offline('root-1', 'bins'))
    expect(await visitTufJs()).toEqual(['foo-1.0.tar.gz'])
  })

  test.each(['deny', 'recently-claimed'] as const)(
    '%s together with those above it',
    async (role) => {
      const entries = await thief.putFar(role, await online(role))
      const snapshot = await thief.putSnapshot(await online('snapshot'), entries)
      await thief.putTimestamp(await online('timestamp'), snapshot)
      await visitThief().catch(() => undefined)
      await visitThiefTufJs().catch(() => undefined)
      await requireRecovery({ stolen: [{ role }] }, await offline('root-1', 'targets'))
      expect(await visitTufJs()).toEqual(['foo-1.0.tar.gz'])
    },
  )

  test.each(['targets', 'claimed', 'bins'] as const)(
    '%s, which people hold, together with the online ones',
    async (role) => {
      const stolen = await ceremony.offline(role)
      const entries = await thief.putFar(role, stolen)
      const snapshot = await thief.putSnapshot(await online('snapshot'), entries)
      await thief.putTimestamp(await online('timestamp'), snapshot)
      await visitThief().catch(() => undefined)
      await visitThiefTufJs().catch(() => undefined)
      const next = await newPerson()
      const others = role === 'targets' ? ['root-1'] : ['root-1', 'targets']
      await requireRecovery({ stolen: [{ role }], addKeys: [{ role, key: next }] }, [
        ...(await offline(...others)),
        next,
      ])
      expect(await visitTufJs()).toEqual(['foo-1.0.tar.gz'])
    },
  )
})

describe('a thief who could write into the published tree of the mirror itself', () => {
  test('does not keep it from recovering, and leaves nothing in what it signs', async () => {
    const own = Thief.at(ceremony.mirror.public)
    const entries = await own.putBins(await online('bins-nn'), 'foo', evilRecord)
    const snapshot = await own.putSnapshot(await online('snapshot'), entries)
    await own.putTimestamp(await online('timestamp'), snapshot)
    expect(await visit()).toMatchObject({ files: { foo: ['foo-6.6.6.tar.gz'] } })
    await requireRecovery({ stolen: [{ role: 'bins-nn' }] }, await offline('root-1', 'bins'), () =>
      Promise.resolve(),
    )
    await ceremony.mirror.sync()
    expect((await visit()).files['foo']).toEqual(['foo-1.0.tar.gz'])
    expect(await visitTufJs()).toEqual(['foo-1.0.tar.gz'])
  })

  test('nor with a timestamp that leads nowhere', async () => {
    const own = Thief.at(ceremony.mirror.public)
    await own.putTimestamp(await online('timestamp'), { version: farVersion })
    await expect(visit()).rejects.toThrow()
    await requireRecovery({ stolen: [{ role: 'timestamp' }] }, await offline('root-1'), () =>
      Promise.resolve(),
    )
  })
})

async function requireWayOut(): Promise<void> {
  const stolen = [{ role: 'timestamp' }, { role: 'snapshot' }] as const
  const refusal = await expectRefusal(
    () => ceremony.mirror.sync(),
    'STORAGE_FAILED',
    'no mirror gets there: somebody else has the key',
  )
  expect(refusal.facts.next).toContain('--stolen timestamp snapshot')
  await ceremony.change({ stolen }, ...(await offline('root-1')))
  await ceremony.mirror.sync()
  expect(await visit()).toMatchObject({ root: 2 })
  expect((await ceremony.mirror.readMetadata('timestamp')).version).toBeLessThan(1000)
}

describe('a thief who drives versions to the very end, before the mirror looks at its tree', () => {
  const end = Number.MAX_SAFE_INTEGER

  test('of timestamp leaves a version for the mirror', async () => {
    const own = Thief.at(ceremony.mirror.public)
    const timestamp = await own.read('timestamp')
    await own.put('timestamp', { ...timestamp, version: end }, await online('timestamp'))
    await requireWayOut()
  })

  test('of a bin too', async () => {
    const own = Thief.at(ceremony.mirror.public)
    const { meta, ...snapshot } = await own.readSnapshot()
    const [file = ''] = Object.keys(meta).filter((name) => name.startsWith('bins-'))
    const role = file.replace('.json', '')
    const bin = await own.read(`${meta[file]!.version}.${role}`)
    const far = await own.put(role, { ...bin, version: end }, await online('bins-nn'))
    const entry = await own.put(
      'snapshot',
      { ...snapshot, version: snapshot.version + 1, meta: { ...meta, [file]: far } },
      await online('snapshot'),
    )
    const timestamp = await own.read('timestamp')
    await own.put(
      'timestamp',
      { ...timestamp, version: timestamp.version + 1, meta: { 'snapshot.json': entry } },
      await online('timestamp'),
    )
    await requireWayOut()
  })

  test('of the journal too', async () => {
    const own = Thief.at(ceremony.mirror.public)
    const timestamp = await own.read('timestamp')
    const ours = (timestamp as unknown as Record<string, object>)['x-tufgate']
    const journal = { sequence: end, sha256: 'ab'.repeat(32) }
    const altered = { ...timestamp, 'x-tufgate': { ...ours, journal } }
    await own.put('timestamp', altered, await online('timestamp'))
    await requireWayOut()
  })
})

const rolesOf = async (
  options: Omit<PrepareOptions, 'directory' | 'clock' | 'report'>,
): Promise<string[]> =>
  readChecked(await ceremony.prepare(options)).documents.map(({ role }) => role)

describe('--stolen', () => {
  test('of a root key replaces that key alone: versions of root cannot be driven', async () => {
    const [alice, bob] = [await newPerson(), await newPerson()]
    const root = await ceremony.offline('root-1')
    await ceremony.change(
      { addKeys: [alice, bob].map((key) => ({ role: 'root', key }) as const) },
      root,
    )
    await expectRefusal(
      () => ceremony.prepare({ stolen: [{ role: 'root' }] }),
      'CONFIG_INVALID',
      'root has 3 keys: which was stolen?',
    )
    const stolen = [{ role: 'root', keyid: bob.keyid.slice(0, 10) } as const]
    expect(await rolesOf({ stolen })).toEqual(['root'])
    await ceremony.change({ stolen }, alice)
    expect(await visit()).toMatchObject({ root: 3 })
  })

  test('of the only key of a role asks for another', async () => {
    await expectRefusal(
      () => ceremony.prepare({ stolen: [{ role: 'bins' }] }),
      'CONFIG_INVALID',
      'bins would have no key any more',
    )
  })

  test('of several keys does what each of them needs, once', async () => {
    const stolen = [{ role: 'timestamp' }, { role: 'bins-nn' }, { role: 'deny' }] as const
    expect(await rolesOf({ stolen })).toEqual(['root', 'targets', 'bins'])
  })
})
