/** `mirror audit-keys` on a mirror that was made, with keys that are then stolen. */

import { rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { encodeUtf8 } from '../../src/base/bytes.ts'
import { sha256Hex } from '../../src/base/digest.ts'
import { auditKeys, type KeyAudit } from '../../src/mirror/audit-keys.ts'
import { buildListing } from '../../src/mirror/metadata-documents.ts'
import type { Verdict } from '../../src/mirror/theft-matrix.ts'
import { signEnvelope } from '../../src/signing/envelope.ts'
import { putKeyFile, readKeyFile } from '../../src/signing/key-file.ts'
import { openKeySigner } from '../../src/signing/open-signer.ts'
import { binName } from '../../src/tuf/delegation.ts'
import { runProgram } from '../support/program.ts'
import { findRecord, trustFolder } from './own-client.ts'
import { ClaimedMirror } from './claim-fixture.ts'
import { dayMs, hourMs, MirrorFixture } from './mirror-fixture.ts'

let mirror: MirrorFixture
beforeEach(async () => {
  mirror = await MirrorFixture.create()
})
afterEach(() => mirror.remove())

const keys = (): string => join(mirror.directory, 'keys')
const offline = (): string => `${mirror.directory}-offline-keys`

async function publishFoo(snapshotHashes: 'on' | 'off'): Promise<void> {
  await mirror.init({ shape: { snapshotHashes } })
  await mirror.putPage('foo', ['foo-1.0.tar.gz'])
  mirror.now += hourMs
  await mirror.sync({ projects: ['foo'] })
}

function verdictOf(audit: KeyAudit, stolen: string): Verdict | undefined {
  return audit.thefts.find((row) => row.stolen === stolen)?.withPath
}

describe('the list of keys', () => {
  test('says of each where it is, and which ought not to be there', async () => {
    await mirror.init({ rootKeys: 3, rootThreshold: 2 })
    const before = await auditKeys(mirror.directory)
    expect(before.keys.filter(({ role }) => role === 'root')).toHaveLength(3)
    expect(before.keys.find(({ role }) => role === 'timestamp')).toMatchObject({
      threshold: 1,
      keys: 1,
      isOnline: true,
      place: { path: join(keys(), 'timestamp.pem'), kind: 'file' },
    })
    expect(before.warnings).toEqual([
      expect.stringContaining('Offline keys lie on this machine') as string,
    ])
    await rename(offline(), join(mirror.root, 'medium'))
    const after = await auditKeys(mirror.directory)
    expect(after.warnings).toEqual([])
    const elsewhere = after.keys.filter(({ place }) => place === undefined)
    expect(new Set(elsewhere.map(({ role }) => role))).toEqual(
      new Set(['root', 'targets', 'claimed', 'bins']),
    )
  })

  test('needs no passphrase, and runs no command', async () => {
    await mirror.init()
    const path = join(keys(), 'timestamp.pem')
    const key = await readKeyFile(path)
    for (const suffix of ['pem', 'pub']) await rm(join(keys(), `timestamp.${suffix}`))
    await putKeyFile(path, key, { passphrase: 'sesame' })
    await rm(join(keys(), 'snapshot.pem'))
    const exec = ['touch', join(mirror.root, 'seen')]
    const signer = JSON.stringify({ 'public-key': 'snapshot.pub', exec })
    await writeFile(join(keys(), 'snapshot.signer'), signer, { mode: 0o600 })
    const { keys: listed } = await auditKeys(mirror.directory)
    const kindOf = (wanted: string) => listed.find(({ role }) => role === wanted)?.place?.kind
    expect(kindOf('timestamp')).toBe('encrypted file')
    expect(kindOf('snapshot')).toBe('command')
    await expect(readKeyFile(join(mirror.root, 'seen'))).rejects.toMatchObject({
      message: expect.stringContaining('does not exist') as string,
    })
  })

  test('warns of an online key that is missing, of another one in its place, and of a weak root', async () => {
    await mirror.init({ rootKeys: 2, rootThreshold: 2 })
    await rm(join(keys(), 'snapshot.pem'))
    await rename(join(keys(), 'deny.pem'), join(keys(), 'timestamp.pem'))
    const { warnings } = await auditKeys(mirror.directory)
    expect(warnings).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^The key of snapshot \(\w{12}\) was not found in keys/),
        expect.stringMatching(/^The key of timestamp \(\w{12}\) was not found in keys/),
        'All 2 keys of root are needed: the loss of one ends the mirror.',
      ]),
    )
  })
})

/** Another record of foo, in the bin of the version that is published, by the thief of `bins-nn`. */
async function replaceBin(): Promise<void> {
  const bin = binName('bins', 2, 'simple/foo/index.json')
  const trusted = await trustFolder(mirror.public, mirror.now)
  const { version } = trusted.snapshot!.meta.get(`${bin}.json`)!
  const record = encodeUtf8(
    JSON.stringify({ meta: { 'api-version': '1.4' }, name: 'foo', versions: [], files: [] }),
  )
  const sha256 = sha256Hex(record)
  const listing = buildListing({ version, expires: mirror.now + dayMs }, [
    ['simple/foo/index.json', { length: record.length, sha256 }],
  ])
  const thief = await openKeySigner(keys(), 'bins-nn')
  const path = join(mirror.public, `metadata/${version}.${bin}.json`)
  await writeFile(path, await signEnvelope(listing, [thief]))
  await writeFile(join(mirror.public, `targets/simple/foo/${sha256}.index.json`), record)
}

describe('the worth of stolen keys', () => {
  test('is nothing for the bins key alone where snapshot says the hashes of the bins', async () => {
    await publishFoo('on')
    expect(verdictOf(await auditKeys(mirror.directory), 'bins-nn')?.malicious).toBe('nothing')
    const trusted = await trustFolder(mirror.public, mirror.now)
    await replaceBin()
    await expect(findRecord(mirror.public, 'foo', trusted, mirror.now)).rejects.toMatchObject({
      code: expect.stringMatching(/^(?:LENGTH|DIGEST)_MISMATCH$/) as string,
    })
  })

  test('is every unclaimed project where it says versions only, as the client shows', async () => {
    await publishFoo('off')
    const verdict = verdictOf(await auditKeys(mirror.directory), 'bins-nn')
    expect(verdict).toMatchObject({ malicious: 'unclaimed', inconsistency: 'within' })
    expect(verdict?.reasons.join(' ')).toContain('by version alone')
    const trusted = await trustFolder(mirror.public, mirror.now)
    await replaceBin()
    const record = await findRecord(mirror.public, 'foo', trusted, mirror.now)
    expect(record?.files).toEqual([])
  })

  test('of a freeze is told with the date at which it ends', async () => {
    await publishFoo('on')
    const { expires } = await mirror.readMetadata('timestamp')
    expect(verdictOf(await auditKeys(mirror.directory), 'no key')?.freeze).toEqual({
      until: Date.parse(expires),
      endedBy: 'timestamp',
      needsNoKey: true,
    })
  })
})

describe('tufgate mirror audit-keys', () => {
  test('prints the keys, the thefts and what to do after one', async () => {
    await mirror.init()
    const { stdout, stderr, code } = await runProgram('mirror', 'audit-keys', mirror.directory)
    expect(code).toBe(0)
    expect(stdout).toMatch(/^ {2}timestamp +[0-9a-f]{12} +\S+keys\/timestamp\.pem$/m)
    expect(stdout).toMatch(/^ {2}timestamp, snapshot, bins-nn +of every project +\d{4}-/m)
    expect(stdout).toMatch(/^ {2}enough keys of root +of every project +for ever/m)
    expect(stdout).toContain(`tufgate mirror root new ${mirror.directory} --stolen ROLE...`)
    expect(stderr).toContain('Offline keys lie on this machine')
    expect(stderr).toContain('Move them to a medium that you then disconnect')
    expect(stderr).toContain('One stolen key of root is enough to own every client.')
  })

  test('says of how many projects it is, and what its columns mean', async () => {
    const claimed = await ClaimedMirror.create()
    try {
      await claimed.claimWhole()
      const { directory } = claimed.mirror
      const { stdout } = await runProgram('mirror', 'audit-keys', directory)
      expect(stdout).toMatch(
        /^ {2}timestamp, snapshot, bins-nn +of the 3 projects without owners; new clients: of every project /m,
      )
      expect(stdout).toMatch(/^ {2}every online key +of every project {2,}/m)
      expect(stdout).toMatch(/^ {2}stolen +wrong files +holds back until +mixes old and new +why$/m)
      expect(stdout).toContain('  mixes old and new: clients can be shown one project as it was')
    } finally {
      await claimed.ceremony.remove()
    }
  })

  test('gives the same as JSON, times as text', async () => {
    await mirror.init()
    const { stdout, code } = await runProgram('mirror', 'audit-keys', mirror.directory, '--json')
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({
      projects: { claimed: 0, recentlyClaimed: 0, unclaimed: 0 },
      thefts: expect.arrayContaining([
        expect.objectContaining({
          stolen: 'no key',
          withPath: expect.objectContaining({
            malicious: 'nothing',
            freeze: {
              until: expect.stringMatching(/^\d{4}-.*Z$/) as string,
              endedBy: 'timestamp',
              needsNoKey: true,
            },
          }) as object,
          withoutPath: expect.objectContaining({ malicious: 'nothing' }) as object,
        }),
      ]) as object,
    })
  })

  test('says where there is no mirror', async () => {
    const { stderr, code } = await runProgram('mirror', 'audit-keys', mirror.root)
    expect(code).toBe(2)
    expect(stderr).toContain(`${mirror.root} holds no mirror`)
  })
})
