/** Online keys that are not plain files: under a passphrase, or behind a command. */

import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { putKeyFile, readKeyFile } from '../../src/signing/key-file.ts'
import { rememberPassphrase, type AskPassphrase } from '../../src/signing/passphrase.ts'
import { expectRefusal } from '../support/expect-refusal.ts'
import { trustFolder } from './own-client.ts'
import { hourMs, MirrorFixture } from './mirror-fixture.ts'

let mirror: MirrorFixture
beforeEach(async () => {
  mirror = await MirrorFixture.create()
  await mirror.init()
  await mirror.putPage('foo', ['foo-1.0.tar.gz'])
  mirror.now += hourMs
})
afterEach(() => mirror.remove())

const keys = (): string => join(mirror.directory, 'keys')

async function encrypt(role: string, passphrase: string): Promise<void> {
  const path = join(keys(), `${role}.pem`)
  const key = await readKeyFile(path)
  for (const suffix of ['pem', 'pub']) await rm(join(keys(), `${role}.${suffix}`))
  await putKeyFile(path, key, { passphrase })
}

test('an encrypted online key is asked for once, however many keys have the same passphrase', async () => {
  for (const role of ['timestamp', 'snapshot']) await encrypt(role, 'sesame')
  const asked: string[] = []
  const ask: AskPassphrase = ({ place }) => {
    asked.push(place)
    return Promise.resolve('sesame')
  }
  const askPassphrase = rememberPassphrase(ask)
  await mirror.sync({ projects: ['foo'], askPassphrase })
  expect(asked).toHaveLength(1)
  expect((await trustFolder(mirror.public, mirror.now)).timestamp?.version).toBe(2)
})

test('with nobody to ask nothing is signed, and the message names the key', async () => {
  await encrypt('timestamp', 'sesame')
  await expectRefusal(
    () => mirror.sync({ projects: ['foo'] }),
    'KEY_INVALID',
    `${join(keys(), 'timestamp.pem')} is encrypted, and no passphrase was given`,
  )
  expect((await trustFolder(mirror.public, mirror.now)).timestamp?.version).toBe(1)
})

test.each([
  ['empty, as a crash leaves it', '', 0o600],
  ['that others can read', 'anything', 0o644],
])('a next key %s does not stop a mirror whose key is right', async (_what, text, mode) => {
  await writeFile(join(keys(), 'timestamp.next.pem'), text, { mode })
  await mirror.sync({ projects: ['foo'] })
  expect((await trustFolder(mirror.public, mirror.now)).timestamp?.version).toBe(2)
})

test('a command can stand in the place of an online key', async () => {
  await mkdir(join(mirror.root, 'token'), { mode: 0o700 })
  const token = join(mirror.root, 'token', 'timestamp.pem')
  await rename(join(keys(), 'timestamp.pem'), token)
  const exec = ['openssl', 'pkeyutl', '-sign', '-rawin', '-inkey', token, '-in', '{file}']
  const signer = JSON.stringify({ 'public-key': 'timestamp.pub', exec })
  await writeFile(join(keys(), 'timestamp.signer'), signer, { mode: 0o600 })
  await mirror.sync({ projects: ['foo'] })
  expect((await trustFolder(mirror.public, mirror.now)).timestamp?.version).toBe(2)
})

test('a command that fails leaves what was published as it was', async () => {
  await rm(join(keys(), 'timestamp.pem'))
  const signer = JSON.stringify({ 'public-key': 'timestamp.pub', exec: ['false'] })
  await writeFile(join(keys(), 'timestamp.signer'), signer, { mode: 0o600 })
  await expectRefusal(
    () => mirror.sync({ projects: ['foo'] }),
    'SIGNER_FAILED',
    'The signing command false ended with exit code 1',
  )
  expect((await trustFolder(mirror.public, mirror.now)).timestamp?.version).toBe(1)
})
