import { describe, expect, test } from 'vitest'
import { noFloors, trustRoot } from '../../src/tuf/trusted-set.ts'
import { expectRefusal } from '../support/expect-refusal.ts'
import { TufSimulator } from '../support/tuf-simulator.ts'
import { signDocument } from '../support/tuf-repository.ts'
import { createSigner, createSignerFor, type TestSigner } from '../support/tuf-signers.ts'

/** A refresh in which `signers` sign timestamp, and root demands `threshold` of `named`. */
function refreshSignedBy(
  signers: TestSigner[],
  { named = signers, threshold = 1 }: { named?: TestSigner[]; threshold?: number },
): Promise<unknown> {
  const simulator = new TufSimulator()
  simulator.setKeys('timestamp', named, threshold)
  simulator.publishRoot()
  simulator.signers.set('timestamp', signers)
  return simulator.refresh()
}

describe('the threshold of a role', () => {
  test('is met by as many keys of different kinds', async () => {
    const signers = [createSigner(), createSigner('ecdsa-p256'), createSigner('rsa-pss-sha256')]
    await refreshSignedBy(signers, { threshold: 3 })
  })

  test('is not met by one key too few', async () => {
    const [first, second] = [createSigner(), createSigner()]
    const refusal = await expectRefusal(
      () => refreshSignedBy([first], { named: [first, second], threshold: 2 }),
      'SIGNATURE_THRESHOLD',
      'timestamp is signed by 1 of the 2 keys that root demands',
    )
    expect(refusal.facts).toMatchObject({ role: 'timestamp', expected: '2 keys', found: '1 keys' })
  })

  test('refuses metadata without any signature', async () => {
    await expectRefusal(
      () => refreshSignedBy([], { named: [createSigner()] }),
      'SIGNATURE_THRESHOLD',
      'signed by 0 of the 1 keys',
    )
  })

  test('refuses the signature of a key that the role does not name', async () => {
    await expectRefusal(
      () => refreshSignedBy([createSigner()], { named: [createSigner()] }),
      'SIGNATURE_THRESHOLD',
      'signed by 0 of the 1 keys',
    )
  })

  test('does not count a key of root that another role names', async () => {
    const simulator = new TufSimulator()
    simulator.signers.set('timestamp', simulator.signersOf('snapshot'))
    await expectRefusal(
      () => simulator.refresh(),
      'SIGNATURE_THRESHOLD',
      'timestamp is signed by 0',
    )
  })

  test('counts one private key under two key ids once (TAP 12)', async () => {
    const first = createSigner('ed25519', 'first-id')
    const second = createSignerFor(first.privateKey, 'ed25519', 'second-id')
    await expectRefusal(
      () => refreshSignedBy([first, second], { threshold: 2 }),
      'SIGNATURE_THRESHOLD',
      'signed by 1 of the 2 keys',
    )
  })

  test('counts one private key in two written forms once (TAP 12)', async () => {
    const first = createSigner('ecdsa-p256')
    const second = createSignerFor(first.privateKey, 'ecdsa-p256-hex')
    await expectRefusal(
      () => refreshSignedBy([first, second], { threshold: 2 }),
      'SIGNATURE_THRESHOLD',
      'signed by 1 of the 2 keys',
    )
  })

  test('counts one RSA key under two schemes once', async () => {
    const first = createSigner('rsa-pss-sha256')
    const second = createSignerFor(first.privateKey, 'rsa-pkcs1v15')
    await expectRefusal(
      () => refreshSignedBy([first, second], { threshold: 2 }),
      'SIGNATURE_THRESHOLD',
      'signed by 1 of the 2 keys',
    )
  })

  test('takes the declared key id, whatever it is', async () => {
    await refreshSignedBy([createSigner('ed25519', 'not the hash of the key')], {})
    await refreshSignedBy([createSigner('ed25519', '__proto__')], {})
    await refreshSignedBy([createSigner('ed25519', 'constructor')], {})
  })

  test('goes on without a key of unknown kind, without a weak one, and without one that is not listed', async () => {
    const good = createSigner()
    const unknown = { ...createSigner(), keyid: 'unknown' }
    const named = [
      { ...unknown, key: { keytype: 'ml-dsa', scheme: 'ml-dsa-65', keyval: { public: 'x' } } },
      {
        ...createSigner(),
        keyid: 'weak',
        key: { keytype: 'ed25519', scheme: 'ed25519', keyval: { public: '00'.repeat(32) } },
      },
      good,
    ]
    await refreshSignedBy(named, { named })
    await expectRefusal(
      () => refreshSignedBy(named, { named, threshold: 2 }),
      'SIGNATURE_THRESHOLD',
      'signed by 1 of the 2 keys',
    )
  })

  test('goes on where a role names a key that is not among the keys', async () => {
    const simulator = new TufSimulator()
    simulator.root.roles.timestamp.keyids.unshift('missing')
    simulator.publishRoot()
    await simulator.refresh()
  })

  test('is not met by weak keys', async () => {
    for (const kind of ['rsa-1024', 'rsa-exponent-3'] as const) {
      await expectRefusal(
        () => refreshSignedBy([createSigner(kind)], {}),
        'SIGNATURE_THRESHOLD',
        'signed by 0 of the 1 keys',
      )
    }
  })

  test.each([
    ['empty', ''],
    ['of odd length', 'abc'],
    ['no hexadecimal', 'not hexadecimal'],
    ['of another', '00'.repeat(64)],
  ])('is still met where an extra signature is %s', async (_, sig) => {
    const [good, other] = [createSigner(), createSigner()]
    await refreshSignedBy([{ ...other, sign: () => sig }, good], {})
    await expectRefusal(
      () => refreshSignedBy([{ ...other, sign: () => sig }, good], { threshold: 2 }),
      'SIGNATURE_THRESHOLD',
      'signed by 1 of the 2 keys',
    )
  })

  test('takes signatures in capitals', async () => {
    const signer = createSigner()
    await refreshSignedBy(
      [{ ...signer, sign: (message) => signer.sign(message).toUpperCase() }],
      {},
    )
  })
})

describe('signatures that are listed twice', () => {
  test('refuse the file, though the threshold would be met without the second', async () => {
    const simulator = new TufSimulator()
    const [signer] = simulator.signersOf('timestamp')
    simulator.signers.set('timestamp', [signer!, signer!])
    await expectRefusal(() => simulator.refresh(), 'MALFORMED', 'the same key id has signed twice')
  })

  test('refuse the file even where one of them is empty', async () => {
    const simulator = new TufSimulator()
    const [signer] = simulator.signersOf('root')
    const bytes = signDocument(simulator.root, [signer!, { ...signer!, sign: () => '' }])
    await expectRefusal(
      () => trustRoot(bytes, noFloors),
      'MALFORMED',
      'the same key id has signed twice',
    )
  })
})
