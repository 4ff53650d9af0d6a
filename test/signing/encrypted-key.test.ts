import { execFileSync } from 'node:child_process'
import { createPrivateKey, generateKeyPairSync } from 'node:crypto'
import { chmod, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  buildPrivateKey,
  putKeyFile,
  readKeyFile,
  type KeyKind,
} from '../../src/signing/key-file.ts'
import {
  answerFromFile,
  chooseAskPassphrase,
  readPassphraseFile,
  type AskPassphrase,
} from '../../src/signing/passphrase.ts'
import { readPublicKey } from '../../src/signing/public-key.ts'
import { readPublicKeyFile } from '../../src/signing/public-key-file.ts'
import { expectRefusal } from '../support/expect-refusal.ts'

let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tufgate-encrypted-'))
})
afterEach(async () => {
  await rm(folder, { recursive: true, force: true })
})

const passphrase = 'correct horse bättery'
const ask: AskPassphrase = () => Promise.resolve(passphrase)
const person: AskPassphrase = () => Promise.resolve('typed')
const slip: AskPassphrase = ({ isRetry }) => Promise.resolve(isRetry ? passphrase : 'slip')

async function putEncrypted(name = 'root-1', kind: KeyKind = 'ed25519'): Promise<string> {
  const path = join(folder, `${name}.pem`)
  await putKeyFile(path, await buildPrivateKey(kind), { passphrase })
  return path
}

function openssl(...parameters: readonly string[]): string {
  return execFileSync('openssl', parameters, { encoding: 'utf8', stdio: 'pipe' })
}

describe('an encrypted key file', () => {
  test.each(['ed25519', 'ecdsa-p256', 'ecdsa-p384', 'rsa-pss'] as const)(
    'comes back with its passphrase, here and in openssl: %s',
    async (kind) => {
      const key = await buildPrivateKey(kind)
      const path = join(folder, 'a.pem')
      await putKeyFile(path, key, { passphrase })
      expect(await readFile(path, 'utf8')).toMatch(/^-----BEGIN ENCRYPTED PRIVATE KEY-----\n/)
      expect((await readKeyFile(path, ask)).equals(key)).toBe(true)
      const plain = openssl('pkey', '-in', path, '-passin', `pass:${passphrase}`)
      expect(createPrivateKey(plain).equals(key)).toBe(true)
    },
  )

  test('is encrypted with scrypt and AES-256, not with the 2048 rounds of PBKDF2', async () => {
    const structure = openssl('asn1parse', '-in', await putEncrypted())
    expect(structure).toContain(':scrypt')
    expect(structure).toContain(':aes-256-cbc')
    expect(structure).toMatch(/INTEGER +:4000\n.*INTEGER +:08\n.*INTEGER +:05\n/)
  })

  test('has another salt each time', async () => {
    const key = await buildPrivateKey('ed25519')
    await putKeyFile(join(folder, 'a.pem'), key, { passphrase })
    await putKeyFile(join(folder, 'b.pem'), key, { passphrase })
    expect(await readFile(join(folder, 'a.pem'))).not.toEqual(await readFile(join(folder, 'b.pem')))
  })

  test('that openssl made is read as well', async () => {
    const path = join(folder, 'a.pem')
    const { privateKey } = generateKeyPairSync('ed25519')
    const plain = join(folder, 'plain')
    await writeFile(plain, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 })
    openssl('pkcs8', '-topk8', '-in', plain, '-out', path, '-passout', `pass:${passphrase}`)
    await chmod(path, 0o600)
    expect((await readKeyFile(path, ask)).equals(privateKey)).toBe(true)
  })

  test('says what to do where nobody gives a passphrase', async () => {
    const path = await putEncrypted()
    const refusal = await expectRefusal(
      () => readKeyFile(path),
      'KEY_INVALID',
      `${path} is encrypted, and no passphrase was given`,
    )
    expect(refusal.facts.next).toContain('--passphrase-file')
    expect(refusal.facts.next).toContain('TUFGATE_PASSPHRASE_FILE')
  })

  test('asks a person three times, and says when the passphrase is wrong', async () => {
    const path = await putEncrypted()
    const questions: unknown[] = []
    const wrong: AskPassphrase = (question) => {
      questions.push(question)
      return Promise.resolve('wrong')
    }
    await expectRefusal(
      () => readKeyFile(path, wrong),
      'KEY_INVALID',
      `The passphrase does not open ${path}`,
    )
    expect(questions).toEqual([
      { place: path, isRetry: false },
      { place: path, isRetry: true },
      { place: path, isRetry: true },
    ])
  })

  test('opens at the second attempt', async () => {
    const path = await putEncrypted()
    await expect(readKeyFile(path, slip)).resolves.toMatchObject({ type: 'private' })
  })

  test('that is damaged is refused like a wrong passphrase, which looks the same', async () => {
    const path = await putEncrypted()
    const pem = await readFile(path, 'utf8')
    await writeFile(path, pem.replace(/\n(.{20}).{4}/, '\n$1AAAA'))
    await expectRefusal(() => readKeyFile(path, ask), 'KEY_INVALID', 'does not open')
  })

  test('is not made with an empty passphrase, and nothing is left behind', async () => {
    const path = join(folder, 'a.pem')
    const key = await buildPrivateKey('ed25519')
    await expectRefusal(
      () => putKeyFile(path, key, { passphrase: '' }),
      'KEY_INVALID',
      'An empty passphrase protects nothing',
    )
    await expect(stat(path)).rejects.toMatchObject({ code: 'ENOENT' })
  })

  test('in the form of OpenSSL of old, whose derivation is weak, is refused with the way out', async () => {
    const path = join(folder, 'a.pem')
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const pem = privateKey.export({
      type: 'pkcs1',
      format: 'pem',
      cipher: 'aes-256-cbc',
      passphrase,
    })
    await writeFile(path, pem, { mode: 0o600 })
    const refusal = await expectRefusal(
      () => readKeyFile(path, ask),
      'KEY_INVALID',
      `${path} is not a private key in PKCS#8 PEM form`,
    )
    expect(refusal.facts.next).toContain('openssl pkcs8 -topk8 -scrypt')
  })
})

describe('the public half beside a key file', () => {
  test.each([undefined, passphrase])('names the key without opening it', async (given) => {
    const key = await buildPrivateKey('ecdsa-p256')
    await putKeyFile(
      join(folder, 'root-1.pem'),
      key,
      given === undefined ? {} : { passphrase: given },
    )
    const half = await readFile(join(folder, 'root-1.pub'), 'utf8')
    expect(half).toMatch(/^-----BEGIN PUBLIC KEY-----\n/)
    expect((await readPublicKeyFile(join(folder, 'root-1.pub'))).key).toEqual(
      readPublicKey(key, 'here'),
    )
  })

  test('is never overwritten: it may be the only thing that is left of a key', async () => {
    const path = join(folder, 'a.pub')
    await writeFile(path, 'kept')
    await expectRefusal(
      async () => putKeyFile(join(folder, 'a.pem'), await buildPrivateKey('ed25519')),
      'KEY_INVALID',
      `${path} exists already; a key is never overwritten`,
    )
    expect(await readFile(path, 'utf8')).toBe('kept')
    await expect(stat(join(folder, 'a.pem'))).rejects.toMatchObject({ code: 'ENOENT' })
  })
})

async function putPassphrase(text: string, mode = 0o600): Promise<string> {
  const path = join(folder, 'passphrase')
  await writeFile(path, text, { mode })
  await chmod(path, mode)
  return path
}

describe('a passphrase file', () => {
  test.each(['secret', 'secret\n', 'secret\r\n'])('is one line: %j', async (text) => {
    expect(await readPassphraseFile(await putPassphrase(text))).toBe('secret')
  })

  test('may be read-only, as systemd hands out credentials', async () => {
    expect(await readPassphraseFile(await putPassphrase('secret', 0o400))).toBe('secret')
  })

  test.each([
    ['', 'nothing'],
    ['\n', 'nothing'],
    ['one\ntwo\n', 'several lines'],
  ])('that is not one line is refused: %j', async (text, found) => {
    const path = await putPassphrase(text)
    const refusal = await expectRefusal(
      () => readPassphraseFile(path),
      'KEY_INVALID',
      `${path} does not hold a passphrase`,
    )
    expect(refusal.facts.found).toBe(found)
  })

  test('that others can read is refused', async () => {
    const path = await putPassphrase('secret', 0o644)
    const refusal = await expectRefusal(
      () => readPassphraseFile(path),
      'KEY_INVALID',
      `${path} can be read or changed by others (mode 644)`,
    )
    expect(refusal.facts.next).toBe(`chmod 600 ${path}`)
  })

  test('that is a FIFO is refused, and does not hold the program up', async () => {
    const path = join(folder, 'fifo')
    execFileSync('mkfifo', ['-m', '600', path])
    await expectRefusal(
      () => readPassphraseFile(path),
      'KEY_INVALID',
      `${path} is not a passphrase file`,
    )
  })

  test('that is missing is named', async () => {
    const path = join(folder, 'nowhere')
    await expectRefusal(
      () => readPassphraseFile(path),
      'KEY_INVALID',
      `The passphrase file ${path} does not exist`,
    )
  })

  test('is asked once: with a wrong passphrase in it there is no second attempt', async () => {
    const path = await putEncrypted()
    const file = await putPassphrase('wrong')
    await expectRefusal(
      () => readKeyFile(path, answerFromFile(file)),
      'KEY_INVALID',
      'The passphrase does not open',
    )
  })

  test('is taken before a person is asked: the one that is named, then that of the environment', async () => {
    const question = { place: 'a.pem', isRetry: false }
    const named = await putPassphrase('named')
    await mkdir(join(folder, 'other'))
    const other = join(folder, 'other', 'passphrase')
    await writeFile(other, 'from the environment', { mode: 0o600 })
    const environment = { TUFGATE_PASSPHRASE_FILE: other }
    const answer = (sources: Parameters<typeof chooseAskPassphrase>[0]) =>
      chooseAskPassphrase(sources, person)(question)
    expect(await answer({ passphraseFile: named, environment })).toBe('named')
    expect(await answer({ environment })).toBe('from the environment')
    expect(await answer({ environment: {} })).toBe('typed')
  })
})
