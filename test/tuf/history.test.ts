/** What went wrong in other clients, by the name of the report: each must stay refused here. */

import { describe, expect, test } from 'vitest'
import { encodeUtf8 } from '../../src/base/bytes.ts'
import { formatUtcSeconds } from '../../src/base/clock.ts'
import { findTarget } from '../../src/tuf/search.ts'
import { acceptDelegated, acceptTimestamp, noFloors, trustRoot } from '../../src/tuf/trusted-set.ts'
import { expectRefusal } from '../support/expect-refusal.ts'
import { signDocument } from '../support/tuf-repository.ts'
import { TufSimulator } from '../support/tuf-simulator.ts'
import { createSigner, createSignerFor } from '../support/tuf-signers.ts'

describe('tough', () => {
  test('CVE-2025-2885: the version of the next root is not checked', async () => {
    const simulator = new TufSimulator()
    simulator.publishedRoots.set(
      2,
      signDocument({ ...simulator.root, version: 7 }, simulator.signersOf('root')),
    )
    await expectRefusal(
      () => simulator.refresh(),
      'VERSION_MISMATCH',
      'root is version 7 where 2 is due',
    )
  })

  test('CVE-2025-2886: terminating delegations are passed over', async () => {
    const simulator = new TufSimulator()
    simulator.delegate('trusted', { terminating: true })
    simulator.delegate('evil')
    simulator.addTarget('x', 'evil', 'evil')
    simulator.publish()
    const { trusted } = await simulator.refresh()
    expect(
      (await findTarget(trusted, 'x', simulator.loadRole(trusted), simulator)).target,
    ).toBeUndefined()
  })

  test('CVE-2025-2887: delegated roles may go back', async () => {
    const simulator = new TufSimulator()
    simulator.delegate('team')
    simulator.role('team').version = 5
    simulator.publish()
    const { trusted } = await simulator.refresh()
    simulator.role('team').version = 4
    simulator.publish()
    await expectRefusal(
      () => simulator.refresh(trusted),
      'VERSION_ROLLBACK',
      'team went back from version 5 to 4',
    )
  })

  test('CVE-2025-2888: a timestamp is kept before it is checked, and locks the client out', async () => {
    const simulator = new TufSimulator()
    const { trusted } = await simulator.refresh()
    simulator.publish()
    const next = await simulator.refresh(trusted)
    simulator.timestamp.version = 1000
    simulator.timestamp.meta['snapshot.json'] = { version: 1 }
    await expectRefusal(
      () => simulator.refresh(next.trusted),
      'VERSION_ROLLBACK',
      'snapshot went back from version 2 to 1',
    )
    expect(next.trusted.floors.versions.get('timestamp')).toBe(2)
    simulator.timestamp.version = 2
    simulator.publish()
    expect((await simulator.refresh(next.trusted)).trusted.timestamp.version).toBe(3)
  })

  test('CVE-2020-15093 and CVE-2026-6966: signatures of one key are counted several times', async () => {
    const simulator = new TufSimulator()
    const signer = createSigner()
    simulator.delegate('team', { signers: [signer, createSigner()], threshold: 2 })
    simulator.signers.set('team', [signer, signer])
    simulator.publish()
    const { trusted } = await simulator.refresh()
    await expectRefusal(
      () => findTarget(trusted, 'x', simulator.loadRole(trusted), simulator),
      'MALFORMED',
      'the same key id has signed twice',
    )
  })

  test('CVE-2026-6967: expiry, hash and length of delegated roles are not checked', async () => {
    const simulator = new TufSimulator({ hashes: true })
    simulator.delegate('team')
    simulator.publish()
    const { trusted } = await simulator.refresh()
    const find = () => findTarget(trusted, 'x', simulator.loadRole(trusted), simulator)
    simulator.role('team')['x'] = 1
    await expectRefusal(find, 'LENGTH_MISMATCH', 'team is ')
    Reflect.deleteProperty(simulator.role('team'), 'x')
    simulator.role('team').spec_version = '1.0.33'
    await expectRefusal(find, 'DIGEST_MISMATCH', 'sha256 of team')
    simulator.role('team').expires = formatUtcSeconds(simulator.now)
    simulator.publish()
    const next = await simulator.refresh(trusted)
    await expectRefusal(
      () => findTarget(next.trusted, 'x', simulator.loadRole(next.trusted), simulator),
      'EXPIRED',
      'team version 1 expired',
    )
  })

  test('a circle of delegations never ends', async () => {
    const simulator = new TufSimulator()
    simulator.delegate('a')
    simulator.delegate('a', { from: 'a' })
    simulator.publish()
    const { trusted } = await simulator.refresh()
    expect(
      (await findTarget(trusted, 'x', simulator.loadRole(trusted), simulator)).visited,
    ).toHaveLength(2)
  })

  test('a failed fetch is taken for "no newer root"', async () => {
    const simulator = new TufSimulator()
    simulator.faults.set('2.root', new Error('connection reset'))
    await expect(simulator.refresh()).rejects.toThrow('connection reset')
  })
})

describe('go-tuf', () => {
  test('CVE-2022-29173: timestamp and snapshot may go back', async () => {
    const simulator = new TufSimulator()
    simulator.publish()
    const { trusted } = await simulator.refresh()
    simulator.timestamp.version = 1
    await expectRefusal(
      () => simulator.refresh(trusted),
      'VERSION_ROLLBACK',
      'timestamp went back from version 2 to 1',
    )
  })

  test('CVE-2024-47534: the order of delegations is lost in a map', async () => {
    const simulator = new TufSimulator()
    for (const name of ['9', 'b', '1', 'a']) {
      simulator.delegate(name)
      simulator.addTarget('x', name, name)
    }
    simulator.publish()
    const { trusted } = await simulator.refresh()
    expect((await findTarget(trusted, 'x', simulator.loadRole(trusted), simulator)).role).toBe('9')
  })

  test('CVE-2026-23991: malformed metadata crashes the client', async () => {
    for (const text of [
      '{"signed":null,"signatures":null}',
      '{"signed":{},"signatures":[null]}',
      '{"signed":{"_type":"root"}}',
    ]) {
      await expectRefusal(
        () => trustRoot(encodeUtf8(text), noFloors),
        'MALFORMED',
        'root is malformed',
      )
    }
  })

  test('an ed25519 key or signature of the wrong length crashes the client', async () => {
    const simulator = new TufSimulator()
    const [signer] = simulator.signersOf('root')
    const short = {
      ...createSigner(),
      key: { keytype: 'ed25519', scheme: 'ed25519', keyval: { public: 'abcd' } },
    }
    simulator.setKeys('root', [short, { ...createSigner(), sign: () => 'abcd' }, signer!])
    expect(trustRoot(simulator.publishRoot(), noFloors).root.version).toBe(1)
  })

  test('CVE-2026-23992: threshold 0 needs no signature', async () => {
    const simulator = new TufSimulator()
    simulator.root.roles.timestamp.threshold = 0
    await expectRefusal(
      () => trustRoot(simulator.publishRoot(), noFloors),
      'MALFORMED',
      'signed.roles.timestamp.threshold',
    )
    const delegating = new TufSimulator()
    delegating.delegate('team', { threshold: 0 })
    delegating.publish()
    await expectRefusal(
      () => delegating.refresh(),
      'MALFORMED',
      'signed.delegations.roles.[0].threshold',
    )
  })

  test('#733: one key under two ids meets threshold 2', async () => {
    const first = createSigner()
    const simulator = new TufSimulator()
    simulator.setKeys('root', [first, createSignerFor(first.privateKey, 'ed25519', 'again')], 2)
    await expectRefusal(
      () => trustRoot(simulator.publishRoot(), noFloors),
      'SIGNATURE_THRESHOLD',
      'signed by 1 of the 2 keys',
    )
  })

  test('an unknown key in a role makes the whole role unusable', async () => {
    const simulator = new TufSimulator()
    const [signer] = simulator.signersOf('targets')
    const unknown = {
      ...createSigner(),
      key: { keytype: 'ml-dsa', scheme: 'ml-dsa-65', keyval: { public: 'x' } },
    }
    simulator.setKeys('targets', [unknown, signer!])
    simulator.publishRoot()
    await simulator.refresh()
  })
})

describe('python-tuf', () => {
  test('GHSA-pwqf-9h7j-7mv8: a threshold is met by one key whose id is listed twice', async () => {
    const simulator = new TufSimulator()
    const [signer] = simulator.signersOf('root')
    simulator.root.roles.root = { keyids: [signer!.keyid, signer!.keyid], threshold: 2 }
    await expectRefusal(
      () => trustRoot(simulator.publishRoot(), noFloors),
      'MALFORMED',
      'a key id stands twice',
    )
  })

  test('#2977: a role that was verified below one delegator is taken for verified below another', async () => {
    const simulator = new TufSimulator()
    const [keyOfA, keyOfB] = [createSigner(), createSigner()]
    simulator.delegate('a')
    simulator.delegate('b')
    simulator.delegate('shared', { from: 'a', signers: [keyOfA] })
    simulator.delegate('shared', { from: 'b', signers: [keyOfB] })
    simulator.signers.set('shared', [keyOfA])
    simulator.publish()
    const { trusted } = await simulator.refresh()
    const load = simulator.loadRole(trusted)
    const a = await load(trusted.targets, 'a', 'targets')
    const b = await load(trusted.targets, 'b', 'targets')
    const bytes = simulator.render('shared')
    expect(acceptDelegated(trusted, a, 'shared', bytes).version).toBe(1)
    await expectRefusal(
      () => acceptDelegated(trusted, b, 'shared', bytes),
      'SIGNATURE_THRESHOLD',
      'shared is signed by 0',
    )
  })

  test('#1498: a list that expired while the client was away is no floor any more', async () => {
    const simulator = new TufSimulator()
    simulator.timestamp.version = 9
    const { trusted } = await simulator.refresh()
    const later = simulator.now + 40 * 86_400_000
    const away = new TufSimulator({ now: later })
    Object.assign(away.root, { ...simulator.root, expires: away.root.expires })
    for (const [role, signers] of simulator.signers) away.signers.set(role, signers)
    away.publishRoot()
    away.timestamp.version = 8
    await expectRefusal(
      () => away.refresh(away.trust(trusted.floors)),
      'VERSION_ROLLBACK',
      'timestamp went back from version 9 to 8',
    )
  })
})

describe('tuf-js', () => {
  test('an expiry that cannot be read never comes', async () => {
    const simulator = new TufSimulator()
    simulator.timestamp.expires = 'never'
    await expectRefusal(() => simulator.refresh(), 'MALFORMED', 'signed.expires: expected a time')
  })

  test('of two roles of a name the last one wins', async () => {
    const simulator = new TufSimulator()
    simulator.delegate('team')
    simulator.delegate('team', { signers: [createSigner()] })
    simulator.publish()
    await expectRefusal(() => simulator.refresh(), 'MALFORMED', 'role team stands twice')
  })

  test('a key of P-384 is used with the digest of P-256', async () => {
    const simulator = new TufSimulator()
    const signer = createSigner('ecdsa-p384')
    simulator.setKeys('timestamp', [
      { ...signer, key: { ...signer.key, scheme: 'ecdsa-sha2-nistp256' } },
    ])
    simulator.publishRoot()
    await expectRefusal(
      () => simulator.refresh(),
      'SIGNATURE_THRESHOLD',
      'timestamp is signed by 0',
    )
  })

  test('letters beyond the basic plane are sorted by UTF-16 unit', async () => {
    const simulator = new TufSimulator()
    simulator.targets['x-order'] = { '😀': 1, '～': 2 }
    const message = '"x-order":{"～":2,"😀":1}'
    expect(new TextDecoder().decode(simulator.render('targets'))).toContain(message)
    await simulator.refresh()
  })
})

test('a stolen timestamp key cannot bring back an old snapshot', async () => {
  const simulator = new TufSimulator()
  simulator.publish()
  const { trusted } = await simulator.refresh()
  simulator.timestamp.version += 1
  simulator.timestamp.meta['snapshot.json'] = { version: 1 }
  await expectRefusal(
    () => acceptTimestamp(trusted, simulator.render('timestamp'), simulator.now),
    'VERSION_ROLLBACK',
    'snapshot went back from version 2 to 1',
  )
})

test('stolen keys of timestamp and snapshot cannot bring back an old role', async () => {
  const simulator = new TufSimulator()
  simulator.delegate('team')
  simulator.addTarget('x', 'x', 'team')
  simulator.publish()
  const { trusted } = await simulator.refresh()
  simulator.publish()
  simulator.snapshot.meta['team.json'] = { version: 1 }
  await expectRefusal(
    () => simulator.refresh(trusted),
    'VERSION_ROLLBACK',
    'team went back from version 2 to 1',
  )
})
