import { generateKeyPairSync } from 'node:crypto'
import { chmod, mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  buildPrivateKey,
  putKeyFile,
  readKeyFile,
  type KeyKind,
} from '../../src/signing/key-file.ts'
import { renderPublicPem } from '../../src/signing/public-key.ts'

let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tufgate-keys-'))
})
afterEach(async () => {
  await rm(folder, { recursive: true, force: true })
})

const kinds: KeyKind[] = ['ed25519', 'ecdsa-p256', 'ecdsa-p384', 'rsa-pss']

describe('key files', () => {
  test.each(kinds)('come back as they were written: %s', async (kind) => {
    const key = await buildPrivateKey(kind)
    const path = join(folder, 'keys', 'root-1.pem')
    await putKeyFile(path, key)
    const back = await readKeyFile(path)
    expect(back.equals(key)).toBe(true)
    expect(await readFile(path, 'utf8')).toMatch(/^-----BEGIN PRIVATE KEY-----\n/)
  })

  test('are readable by their owner alone, in a folder that is too', async () => {
    const path = join(folder, 'keys', 'timestamp.pem')
    await putKeyFile(path, await buildPrivateKey('ed25519'))
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    expect((await stat(join(folder, 'keys'))).mode & 0o777).toBe(0o700)
  })

  test('are never overwritten', async () => {
    const path = join(folder, 'keys', 'root-1.pem')
    await putKeyFile(path, await buildPrivateKey('ed25519'))
    const before = await readFile(path)
    const again = putKeyFile(path, await buildPrivateKey('ed25519'))
    await expect(again).rejects.toMatchObject({
      code: 'KEY_INVALID',
      message: `${path} exists already; a key is never overwritten`,
    })
    expect(await readFile(path)).toEqual(before)
  })

  test('are not written through a symbolic link that somebody left', async () => {
    const elsewhere = join(folder, 'elsewhere')
    await symlink(elsewhere, join(folder, 'snapshot.pem'))
    const attempt = putKeyFile(join(folder, 'snapshot.pem'), await buildPrivateKey('ed25519'))
    await expect(attempt).rejects.toMatchObject({ code: 'KEY_INVALID' })
    await expect(stat(elsewhere)).rejects.toMatchObject({ code: 'ENOENT' })
  })

  test('are not written into a folder that others can read', async () => {
    await chmod(folder, 0o755)
    const attempt = putKeyFile(join(folder, 'a.pem'), await buildPrivateKey('ed25519'))
    await expect(attempt).rejects.toMatchObject({
      code: 'KEY_INVALID',
      message: `${folder} can be read or changed by others (mode 755)`,
    })
  })

  test.each([0o640, 0o604, 0o660, 0o601])(
    'that others can reach are refused: mode %o',
    async (mode) => {
      const path = join(folder, 'a.pem')
      await putKeyFile(path, await buildPrivateKey('ed25519'))
      await chmod(path, mode)
      await expect(readKeyFile(path)).rejects.toMatchObject({
        code: 'KEY_INVALID',
        message: `${path} can be read or changed by others (mode ${mode.toString(8)})`,
        facts: { next: `chmod 600 ${path}` },
      })
    },
  )

  test('in a folder that others can reach are refused, with the command that helps', async () => {
    const path = join(folder, 'a.pem')
    await putKeyFile(path, await buildPrivateKey('ed25519'))
    await chmod(folder, 0o750)
    await expect(readKeyFile(path)).rejects.toMatchObject({
      code: 'KEY_INVALID',
      facts: { expected: '700', found: '750', next: `chmod 700 ${folder}` },
    })
  })

  test('among other things are to get a folder of their own, and nobody closes that one', async () => {
    const path = join(folder, 'a.pem')
    await putKeyFile(path, await buildPrivateKey('ed25519'))
    await writeFile(join(folder, 'notes.txt'), '')
    await chmod(folder, 0o755)
    await expect(readKeyFile(path)).rejects.toMatchObject({
      facts: {
        next: `Put the key into a folder of its own: mkdir -m 700 ${folder}/keys, then move a.pem there.`,
      },
    })
    const attempt = putKeyFile(join(folder, 'b.pem'), await buildPrivateKey('ed25519'))
    await expect(attempt).rejects.toMatchObject({
      facts: { next: `Put the key into a folder of its own, which is made: ${folder}/keys/b.pem` },
    })
  })

  test('that are public are said to be so, whatever their mode', async () => {
    const key = await buildPrivateKey('ed25519')
    await putKeyFile(join(folder, 'a.pem'), key)
    await expect(readKeyFile(join(folder, 'a.pub'))).rejects.toMatchObject({
      message: `${folder}/a.pub is the public key, and the private one is needed`,
      facts: { next: `Name the private key, such as ${folder}/a.pem` },
    })
    await writeFile(join(folder, 'b'), renderPublicPem(key), { mode: 0o600 })
    await expect(readKeyFile(join(folder, 'b'))).rejects.toMatchObject({
      message: `${folder}/b is the public key, and the private one is needed`,
      facts: { next: 'Name the file of the private key.' },
    })
  })

  test('that are missing in a folder that others can read are missing first of all', async () => {
    await chmod(folder, 0o755)
    await expect(readKeyFile(join(folder, 'nobody.pem'))).rejects.toMatchObject({
      message: `The key file ${folder}/nobody.pem does not exist`,
    })
  })

  test('that are missing are named', async () => {
    const path = join(folder, 'timestamp.pem')
    await expect(readKeyFile(path)).rejects.toMatchObject({
      code: 'KEY_INVALID',
      message: `The key file ${path} does not exist`,
    })
  })

  test.each([
    ['nothing', ''],
    ['text', 'not a key'],
  ])('that hold %s are refused', async (_what, content) => {
    const path = join(folder, 'a.pem')
    await writeFile(path, content, { mode: 0o600 })
    await expect(readKeyFile(path)).rejects.toMatchObject({
      code: 'KEY_INVALID',
      message: `${path} is not a private key in PKCS#8 PEM form`,
    })
  })

  test('that are far too long are not read', async () => {
    const path = join(folder, 'a.pem')
    await writeFile(path, 'x'.repeat(70_000), { mode: 0o600 })
    await expect(readKeyFile(path)).rejects.toMatchObject({
      code: 'KEY_INVALID',
      message: `${path} is not a key file`,
      facts: { found: '70000 bytes' },
    })
  })

  test.each([
    ['an RSA key of 1024 bits', generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey],
    ['a key on another curve', generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).privateKey],
    ['an X25519 key, which cannot sign', generateKeyPairSync('x25519').privateKey],
  ])('that hold %s are refused before any work is done', async (_what, key) => {
    const path = join(folder, 'a.pem')
    await writeFile(path, key.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 })
    await expect(readKeyFile(path)).rejects.toMatchObject({
      code: 'KEY_INVALID',
      message: expect.stringMatching(/ holds a key of type .*, which is not accepted$/) as string,
    })
  })

  test('that are folders are refused', async () => {
    const path = join(folder, 'a.pem')
    await mkdir(path, { mode: 0o600 })
    await expect(readKeyFile(path)).rejects.toMatchObject({
      code: 'KEY_INVALID',
      message: `${path} is not a key file`,
    })
  })
})
