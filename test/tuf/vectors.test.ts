/** Repositories that other clients test with, each with the verdict that it must have here, and why. */

import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { decodeHex, encodeUtf8 } from '../../src/base/bytes.ts'
import { encodeCanonical } from '../../src/base/canonical-json.ts'
import type { VerifyCode } from '../../src/base/errors.ts'
import { parseKey } from '../../src/tuf/keys.ts'
import { findTarget, type Search } from '../../src/tuf/search.ts'
import {
  acceptRoot,
  acceptSnapshot,
  acceptTargets,
  acceptTimestamp,
  noFloors,
  trustRoot,
} from '../../src/tuf/trusted-set.ts'
import { expectRefusal } from '../support/expect-refusal.ts'
import { FolderRepository } from '../support/folder-repository.ts'

const now = Date.parse('2026-06-01T00:00:00Z')

function folder(path: string): string {
  return new URL(`../vectors/${path}`, import.meta.url).pathname
}

function read(path: string): Uint8Array {
  return new Uint8Array(readFileSync(folder(path)))
}

function readGolden(role: string): Uint8Array {
  return read(`python-tuf/ed25519_metadata/${role}_with_ed25519.json`)
}

async function search(repository: FolderRepository, path: string): Promise<Search> {
  const { trusted } = await repository.refresh(now)
  return findTarget(trusted, path, repository.loadRole(trusted), { now })
}

describe('roots of tough', () => {
  test.each([
    ['simple-rsa', 1, 'RSA-PSS, not canonical on disk'],
    ['expired-root-json-signature', 1, 'a pinned root may have expired'],
    ['pem-encoded-ecdsa-sig-keys', 5, 'ECDSA in PEM, signatures of five holders'],
    ['ecdsa-new-type-sig-keys', 9, 'keytype ecdsa'],
  ])('%s is trusted: %s %s', (name, version) => {
    expect(trustRoot(read(`tough/${name}/root.json`), noFloors).root.version).toBe(version)
  })

  test.each<[string, VerifyCode, string, string]>([
    ['duplicate-keyid', 'MALFORMED', 'stands twice in one object', 'a key id is defined twice'],
    ['duplicate-sigs', 'MALFORMED', 'the same key id has signed twice', 'one signature, twice'],
    [
      'duplicate-sig-keys',
      'MALFORMED',
      'the same key id has signed twice',
      'one key, two signatures',
    ],
    [
      'invalid-root-json-signature',
      'SIGNATURE_THRESHOLD',
      'root is signed by 0',
      'a bent signature',
    ],
    ['no-root-json-signatures', 'SIGNATURE_THRESHOLD', 'root is signed by 0', 'no signature'],
    [
      'mismatched-root-json-keyids',
      'SIGNATURE_THRESHOLD',
      'root is signed by 0',
      'the role names another key',
    ],
    [
      'hex-encoded-ecdsa-sig-keys',
      'MALFORMED',
      'signed.expires',
      'fractions of a second in its expiry',
    ],
  ])('%s is refused as %s: %s, %s', async (name, code, message) => {
    await expectRefusal(() => trustRoot(read(`tough/${name}/root.json`), noFloors), code, message)
  })

  test('cross-sign-root is refused: signing it is what it is for', async () => {
    await expectRefusal(
      () => trustRoot(read('tough/cross-sign-root/1.root.json'), noFloors),
      'SIGNATURE_THRESHOLD',
      'root is signed by 0',
    )
  })

  test('the five signatures of hex-encoded-ecdsa-sig-keys verify by themselves, with points in hexadecimal', () => {
    const { signed, signatures } = JSON.parse(
      new TextDecoder().decode(read('tough/hex-encoded-ecdsa-sig-keys/root.json')),
    ) as { signed: { keys: Record<string, unknown> }; signatures: { keyid: string; sig: string }[] }
    const message = encodeUtf8(encodeCanonical(signed))
    const verdicts = signatures.map(({ keyid, sig }) => {
      const key = parseKey(signed.keys[keyid], keyid)
      return key.verifier?.verify(message, decodeHex(sig) ?? new Uint8Array())
    })
    expect(verdicts).toEqual([true, true, true, true, true])
  })
})

describe('repositories of tough', () => {
  test('consistent-snapshots is read', async () => {
    const found = await search(
      new FolderRepository(folder('tough/consistent-snapshots/metadata')),
      'data1.txt',
    )
    expect(found.target?.length).toBe(14)
  })

  test('rotated-root is followed to its second root, though the first has expired', async () => {
    const { trusted } = await new FolderRepository(folder('tough/rotated-root')).refresh(now)
    expect(trusted.root.version).toBe(2)
  })

  test('rotated-root cannot be followed backwards', async () => {
    const second = trustRoot(read('tough/rotated-root/2.root.json'), noFloors)
    await expectRefusal(
      () => acceptRoot(second, read('tough/rotated-root/1.root.json')),
      'SIGNATURE_THRESHOLD',
      'root is signed by 0',
    )
  })

  test('expired-repository is refused at its timestamp', async () => {
    const repository = new FolderRepository(folder('tough/expired-repository/metadata'))
    await expectRefusal(
      () => repository.refresh(now),
      'EXPIRED',
      'timestamp version 1589485578 expired',
    )
  })

  test('safe-target-paths has targets whose names hold dots, and they are names only', async () => {
    const repository = new FolderRepository(folder('tough/safe-target-paths/metadata'))
    expect((await search(repository, 'foo/../bar/../baz/../data1.txt')).target?.length).toBe(14)
    expect((await search(repository, 'data1.txt')).target).toBeUndefined()
  })

  test('dubious-role-names is refused: fractions of a second in its expiry', async () => {
    const repository = new FolderRepository(folder('tough/dubious-role-names/metadata'))
    expect(repository.trust().root.version).toBe(1)
    await expectRefusal(
      () => repository.refresh(now),
      'MALFORMED',
      'timestamp is malformed: signed.expires',
    )
  })
})

describe('repositories of python-tuf', () => {
  test.each(['python-tuf/repository/metadata', 'tough/tuf-reference-impl/metadata'])(
    '%s is read, with RSA-PSS, ed25519 and no consistent snapshots',
    async (path) => {
      const repository = new FolderRepository(folder(path))
      expect((await search(repository, 'file1.txt')).role).toBe('targets')
      const delegated = await search(repository, 'file3.txt')
      expect(delegated).toMatchObject({ role: 'role1', target: { length: 28 } })
      expect((await search(repository, 'file9.txt')).target).toBeUndefined()
    },
  )

  test('fishy_rolenames is read, with roles named "../a", "." and "ö"', async () => {
    const names = { '../a': '../1.a.json', '.': '1...json', ö: '1.ö.json' }
    const found = await search(
      new FolderRepository(folder('python-tuf/fishy_rolenames/metadata'), names),
      'a',
    )
    expect(found.visited.map(({ name }) => name)).toEqual(['targets', '../a', '.', 'ö'])
  })

  test('the golden bytes of ed25519 verify, from root to targets', () => {
    const root = trustRoot(readGolden('root'), noFloors)
    const timestamp = acceptTimestamp(root, readGolden('timestamp'), now)
    const snapshot = acceptSnapshot(timestamp, readGolden('snapshot'), now)
    expect(acceptTargets(snapshot, readGolden('targets'), now).targets?.version).toBe(1)
  })
})

test('the first root of Warehouse is trusted, with keys of ed25519 and of ECDSA', () => {
  const { metadata } = JSON.parse(
    new TextDecoder().decode(read('rstuf-warehouse/bootstrap.json')),
  ) as { metadata: { root: unknown } }
  const { root } = trustRoot(encodeUtf8(JSON.stringify(metadata.root)), noFloors)
  expect(root).toMatchObject({
    version: 1,
    consistentSnapshot: true,
    expires: Date.parse('2025-02-21T13:58:51Z'),
  })
  expect(new Set([...root.keys.values()].map(({ keytype }) => keytype)).size).toBeGreaterThan(1)
  for (const key of root.keys.values()) expect(key.verifier).toBeDefined()
})
