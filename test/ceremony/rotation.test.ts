import { copyFile, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { onlineRoles, type OnlineRole } from '../../src/mirror/role-names.ts'
import { buildPrivateKey, putKeyFile } from '../../src/signing/key-file.ts'
import { readPublicKeyFile } from '../../src/signing/public-key-file.ts'
import type { Signer } from '../../src/signing/signer.ts'
import { serveStatic, type StaticServer } from '../mirror/static-server.ts'
import { expectRefusal } from '../support/expect-refusal.ts'
import { Ceremony, newPerson, signAll } from './ceremony-fixture.ts'
import type { Seen } from './returning-client.ts'
import { TufJsClient } from './tuf-js-client.ts'

let ceremony: Ceremony
let server: StaticServer
let tufJs: TufJsClient
beforeEach(async () => {
  ceremony = await Ceremony.create()
  // tuf-js reads the clock of the machine.
  ceremony.mirror.now = Date.now()
  await ceremony.mirror.sync()
  server = await serveStatic(ceremony.mirror.public)
  tufJs = new TufJsClient(join(ceremony.mirror.root, 'tuf-js'))
})
afterEach(async () => {
  server.close()
  await ceremony.remove()
})

/** Whose signature the document needs in which a role's key stands. */
const namedBy: Readonly<Record<OnlineRole, string>> = {
  deny: 'targets',
  'recently-claimed': 'targets',
  'bins-nn': 'bins',
  snapshot: 'root-1',
  timestamp: 'root-1',
}

const visit = (): Promise<Seen> =>
  ceremony.client().visit(ceremony.mirror.public, ceremony.mirror.now, ceremony.projects)
const visitTufJs = (): Promise<string[]> =>
  tufJs.visit(ceremony.mirror.public, server.origin, 'foo')

async function keyidOf(role: string): Promise<string> {
  return (await ceremony.online(role)).keyid
}

describe('the key of an online role', () => {
  test.each(onlineRoles)('%s is replaced, and returning clients follow', async (role) => {
    const before = await visit()
    expect(await visitTufJs()).toEqual(['foo-1.0.tar.gz'])
    const old = await keyidOf(role)
    const signer = await ceremony.offline(namedBy[role])
    const { newKeys } = await ceremony.change({ rotate: new Map([[role, undefined]]) }, signer)
    expect(newKeys).toEqual([role])
    expect(await keyidOf(role)).not.toBe(old)
    expect(await readdir(ceremony.keys)).toHaveLength(10)
    const after = await visit()
    expect(after.files).toEqual(before.files)
    expect(after.timestamp).toBeGreaterThan(before.timestamp!)
    expect(await visitTufJs()).toEqual(['foo-1.0.tar.gz'])
    // And the mirror goes on with it.
    await ceremony.mirror.putPage('foo', ['foo-1.0.tar.gz', 'foo-1.1.tar.gz'])
    await ceremony.mirror.sync()
    expect((await visit()).files['foo']).toHaveLength(2)
    expect(await visitTufJs()).toHaveLength(2)
  })

  test('is replaced for all of them at once, while the mirror works on', async () => {
    await visit()
    await visitTufJs()
    const bytes = await ceremony.prepare({
      rotate: new Map(onlineRoles.map((role) => [role, undefined] as const)),
    })
    // The new keys wait, and the old ones are in use.
    await ceremony.mirror.putPage('foo', ['foo-1.0.tar.gz', 'foo-1.1.tar.gz'])
    await ceremony.mirror.sync()
    expect((await visit()).files['foo']).toHaveLength(2)
    const names = ['root-1', 'targets', 'bins']
    const signers = await Promise.all(names.map((name) => ceremony.offline(name)))
    await ceremony.publish(await signAll(bytes, ...signers))
    expect((await visit()).files['foo']).toHaveLength(2)
    expect(await visitTufJs()).toHaveLength(2)
  })

  test.each(onlineRoles)('%s is replaced when its file is lost', async (role) => {
    const before = await visit()
    await rm(join(ceremony.keys, `${role}.pem`))
    await expect(ceremony.mirror.sync()).rejects.toMatchObject({ code: 'KEY_INVALID' })
    const signer = await ceremony.offline(namedBy[role])
    await ceremony.change({ rotate: new Map([[role, undefined]]) }, signer)
    expect((await visit()).files).toEqual(before.files)
  })

  test('that is lost and not replaced keeps any other change from being begun', async () => {
    await rm(join(ceremony.keys, 'deny.pem'))
    const root = await ceremony.offline('root-1')
    await expectRefusal(
      () => ceremony.change({ rotate: new Map([['snapshot', undefined]]) }, root),
      'KEY_INVALID',
      'deny.pem does not exist',
    )
    expect(await visit()).toMatchObject({ root: 1 })
  })

  test('is followed by a client that goes on running', async () => {
    const { mirror, projects } = ceremony
    const running = await ceremony.client().start(mirror.public, () => mirror.now)
    try {
      const before = await running.look(projects)
      for (const role of onlineRoles) {
        const signer = await ceremony.offline(namedBy[role])
        await ceremony.change({ rotate: new Map([[role, undefined]]) }, signer)
        expect((await running.look(projects)).files, role).toEqual(before.files)
      }
      expect(await running.look([])).toMatchObject({ root: 3 })
    } finally {
      running.stop()
    }
  })

  test('has the kind of the one before', async () => {
    const other = await Ceremony.create({ keyKind: 'ecdsa-p256' })
    try {
      await other.change(
        { rotate: new Map([['timestamp', undefined]]) },
        await other.offline('root-1'),
      )
      expect((await other.online('timestamp')).key.scheme).toBe('ecdsa-sha2-nistp256')
    } finally {
      await other.remove()
    }
  })
})

const rotateTo = async (path: string): Promise<Parameters<Ceremony['prepare']>[0]> => ({
  rotate: new Map([['snapshot', await readPublicKeyFile(path)]]),
})

describe('a key that is made elsewhere', () => {
  test('is taken by its public half, and refused as long as nobody here can sign with it', async () => {
    const elsewhere = join(ceremony.mirror.root, 'elsewhere', 'snapshot.pem')
    await putKeyFile(elsewhere, await buildPrivateKey('ed25519'))
    const signed = await signAll(
      await ceremony.prepare(await rotateTo(elsewhere.replace('.pem', '.pub'))),
      await ceremony.offline('root-1'),
    )
    await expectRefusal(
      () => ceremony.publish(signed),
      'KEY_INVALID',
      'The new key of snapshot cannot be used',
    )
    expect(await visit()).toMatchObject({ root: 1 })
    await copyFile(elsewhere, join(ceremony.keys, 'snapshot.next.pem'))
    await ceremony.publish(signed)
    expect(await visit()).toMatchObject({ root: 2 })
    const { keyid } = await readPublicKeyFile(elsewhere.replace('.pem', '.pub'))
    expect(await keyidOf('snapshot')).toBe(keyid)
  })

  test('is a command, whose signer file waits under the name of the next key', async () => {
    const elsewhere = join(ceremony.mirror.root, 'elsewhere', 'snapshot.pem')
    await putKeyFile(elsewhere, await buildPrivateKey('ed25519'))
    const publicKey = await readFile(elsewhere.replace('.pem', '.pub'), 'utf8')
    const command = ['openssl', 'pkeyutl', '-sign', '-rawin', '-inkey', elsewhere, '-in', '{file}']
    const signerFile = { 'public-key': publicKey, exec: command }
    await writeFile(join(ceremony.keys, 'snapshot.next.signer'), JSON.stringify(signerFile), {
      mode: 0o600,
    })
    await ceremony.change(
      { rotate: new Map([['snapshot', undefined]]) },
      await ceremony.offline('root-1'),
    )
    const names = await readdir(ceremony.keys)
    expect(names).toContain('snapshot.signer')
    expect(names).not.toContain('snapshot.pem')
    expect(await visit()).toMatchObject({ root: 2 })
    await ceremony.mirror.putPage('foo', ['foo-1.0.tar.gz', 'foo-1.1.tar.gz'])
    await ceremony.mirror.sync()
    expect((await visit()).files['foo']).toHaveLength(2)
  })
})

test.each(['snapshot.next.pub', 'snapshot.pub'])(
  'a waiting signer file that names %s is refused: it is moved when the key is taken into use',
  async (name) => {
    const path = join(ceremony.keys, 'snapshot.next.signer')
    await copyFile(join(ceremony.keys, 'snapshot.pub'), join(ceremony.keys, 'snapshot.next.pub'))
    await writeFile(path, JSON.stringify({ 'public-key': name, exec: ['true'] }), { mode: 0o600 })
    await expectRefusal(
      () => ceremony.prepare({ rotate: new Map([['snapshot', undefined]]) }),
      'KEY_INVALID',
      'which will not stay there',
    )
  },
)

describe('a change that was prepared and given up', () => {
  let root: Signer
  beforeEach(async () => {
    root = await ceremony.offline('root-1')
  })

  test('gives way to the next: its key was never in use', async () => {
    const rotate = new Map([['snapshot', undefined]] as const)
    const first = await signAll(await ceremony.prepare({ rotate }), root)
    ceremony.mirror.takeEvents('warning')
    const second = await signAll(await ceremony.prepare({ rotate }), root)
    expect(ceremony.mirror.takeEvents('warning')[0]?.message).toContain(
      'The key that waited for snapshot is gone',
    )
    await expectRefusal(
      () => ceremony.publish(first),
      'KEY_INVALID',
      'The new key of snapshot cannot be used',
    )
    await ceremony.publish(second)
    expect(await visit()).toMatchObject({ root: 2 })
  })

  test('leaves its key alone when another change is published', async () => {
    await ceremony.prepare({ rotate: new Map([['snapshot', undefined]]) })
    const alice = await newPerson()
    await ceremony.change({ addKeys: [{ role: 'root', key: alice }] }, root)
    expect(await visit()).toMatchObject({ root: 2 })
    expect(await readdir(ceremony.keys)).toContain('snapshot.next.pem')
  })
})
