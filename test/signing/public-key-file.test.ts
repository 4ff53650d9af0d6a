import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { buildPrivateKey, putKeyFile, type KeyKind } from '../../src/signing/key-file.ts'
import { openSigner } from '../../src/signing/open-signer.ts'
import { readPublicKeyFile } from '../../src/signing/public-key-file.ts'
import { expectRefusal } from '../support/expect-refusal.ts'

let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tufgate-public-'))
})
afterEach(async () => {
  await rm(folder, { recursive: true, force: true })
})

async function putKey(kind: KeyKind = 'ed25519'): Promise<void> {
  await putKeyFile(join(folder, 'K.pem'), await buildPrivateKey(kind))
}

describe('exec: on a command line', () => {
  test('needs the public key, because the answer is verified', async () => {
    const refusal = await expectRefusal(
      () => openSigner('exec:openssl dgst'),
      'KEY_INVALID',
      'A signing command does not say which key it has',
    )
    expect(refusal.facts.expected).toBe('--public-key FILE')
  })

  test.each(['exec:', 'exec:  ', `exec:sh -c 'sign it'`, 'exec:sign a\\ b'])(
    'is refused where words would have to be guessed: %s',
    async (reference) => {
      await putKey()
      const publicKeyPath = join(folder, 'K.pub')
      await expectRefusal(
        () => openSigner(reference, { publicKeyPath }),
        'KEY_INVALID',
        'without quotes',
      )
    },
  )

  test('is what --public-key is for, and nothing else', async () => {
    await expectRefusal(
      () => openSigner('keys/root-1.pem', { publicKeyPath: 'K.pub' }),
      'KEY_INVALID',
      'A public key belongs to an exec: signer',
    )
  })
})

describe('a public key file', () => {
  test.each(['ed25519', 'ecdsa-p256', 'ecdsa-p384', 'rsa-pss'] as const)(
    'gives the same key in PEM and as TUF metadata has it: %s',
    async (kind) => {
      await putKey(kind)
      const pem = await readPublicKeyFile(join(folder, 'K.pub'))
      await writeFile(join(folder, 'K.json'), JSON.stringify(pem.key))
      expect(await readPublicKeyFile(join(folder, 'K.json'))).toEqual(pem)
    },
  )

  test('that is a private key is refused before anybody sends it around', async () => {
    await putKey()
    await expectRefusal(
      () => readPublicKeyFile(join(folder, 'K.pem')),
      'KEY_INVALID',
      'holds a private key, where the public one is asked for',
    )
  })

  test.each([
    ['text', 'hello'],
    ['a damaged key', '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n'],
    [
      'a key of small order, for which anybody can sign',
      JSON.stringify({
        keytype: 'ed25519',
        scheme: 'ed25519',
        keyval: { public: `01${'00'.repeat(31)}` },
      }),
    ],
    ['no key', '{"keytype":"ed25519"}'],
  ])('that holds %s is refused', async (_what, text) => {
    await writeFile(join(folder, 'K.json'), text)
    await expectRefusal(
      () => readPublicKeyFile(join(folder, 'K.json')),
      'KEY_INVALID',
      'is not a public key',
    )
  })

  test('that is missing is named', async () => {
    await expectRefusal(
      () => readPublicKeyFile(join(folder, 'K.pub')),
      'KEY_INVALID',
      `The public key ${join(folder, 'K.pub')} does not exist`,
    )
  })
})
