import { execFileSync } from 'node:child_process'
import { chmod, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { decodeHex, encodeUtf8 } from '../../src/base/bytes.ts'
import { buildPrivateKey, putKeyFile, type KeyKind } from '../../src/signing/key-file.ts'
import { openKeySigner, openSigner } from '../../src/signing/open-signer.ts'
import { buildKeyid } from '../../src/signing/public-key.ts'
import type { Signer } from '../../src/signing/signer.ts'
import { findVerifier } from '../../src/tuf/signatures.ts'
import { expectRefusal } from '../support/expect-refusal.ts'

let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tufgate-exec-'))
})
afterEach(async () => {
  await rm(folder, { recursive: true, force: true })
})

const message = encodeUtf8(`{"_type":"root","text":"${'x'.repeat(100_000)}"}`)

/** `token/K.pem` is what only the command can read; `K.pub` is what we have. */
async function putToken(kind: KeyKind): Promise<void> {
  await putKeyFile(join(folder, 'token', 'K.pem'), await buildPrivateKey(kind))
  await writeFile(join(folder, 'K.pub'), await readFile(join(folder, 'token', 'K.pub')))
}

async function putSigner(exec: readonly string[], more: object = {}): Promise<void> {
  const text = JSON.stringify({ 'public-key': 'K.pub', exec, ...more })
  await writeFile(join(folder, 'root-1.signer'), text, { mode: 0o600 })
}

/** A program of the test, run by this Node.js. */
async function putProgram(source: string, more: object = {}): Promise<void> {
  await writeFile(join(folder, 'program.mjs'), source)
  await putSigner([process.execPath, 'program.mjs'], more)
}

function open(): Promise<Signer> {
  return openKeySigner(folder, 'root-1')
}

async function expectSigned(signer: Signer): Promise<void> {
  const signature = decodeHex(await signer.sign(message))!
  const { keytype, scheme, keyval } = signer.key
  expect(findVerifier(keytype, scheme, keyval.public)!.verify(message, signature)).toBe(true)
}

const pss = ['-sigopt', 'rsa_padding_mode:pss', '-sigopt', 'rsa_pss_saltlen:32']
const pssDigest = ['-pkeyopt', 'rsa_padding_mode:pss', '-pkeyopt', 'rsa_pss_saltlen:32']
const rawin = ['openssl', 'pkeyutl', '-sign', '-rawin', '-inkey', 'token/K.pem', '-in', '{file}']
const ofDigest = ['openssl', 'pkeyutl', '-sign', '-inkey', 'token/K.pem', '-in', '{file}']
const dgst = (hash: string): string[] => ['openssl', 'dgst', hash, '-sign', 'token/K.pem']

describe('the openssl command signs', () => {
  test.each<[string, KeyKind, string[], object]>([
    ['Ed25519', 'ed25519', rawin, {}],
    ['ECDSA P-256', 'ecdsa-p256', dgst('-sha256'), {}],
    ['ECDSA P-256 with pkeyutl', 'ecdsa-p256', [...rawin, '-digest', 'sha256'], {}],
    ['ECDSA P-256 from a digest', 'ecdsa-p256', ofDigest, { input: 'digest' }],
    ['ECDSA P-384', 'ecdsa-p384', dgst('-sha384'), {}],
    ['ECDSA P-384 from a digest', 'ecdsa-p384', ofDigest, { input: 'digest' }],
    ['RSA-PSS', 'rsa-pss', [...dgst('-sha256'), ...pss], {}],
    ['RSA-PSS with the longest salt', 'rsa-pss', [...dgst('-sha256'), ...pss.slice(0, 2)], {}],
    ['RSA-PSS with pkeyutl', 'rsa-pss', [...rawin, '-digest', 'sha256', ...pssDigest], {}],
    [
      'RSA-PSS from a digest',
      'rsa-pss',
      [...ofDigest, '-pkeyopt', 'digest:sha256', ...pssDigest],
      { input: 'digest' },
    ],
  ])('%s', async (_what, kind, exec, more) => {
    await putToken(kind)
    await putSigner(exec, more)
    await expectSigned(await open())
  })

  test('from a command line, with the public key beside it', async () => {
    await putToken('ecdsa-p256')
    const reference = `exec:openssl dgst -sha256 -sign ${join(folder, 'token', 'K.pem')}`
    const signer = await openSigner(reference, { publicKeyPath: join(folder, 'K.pub') })
    await expectSigned(signer)
  })

  test('with the key id that the key has everywhere else', async () => {
    await putToken('ed25519')
    await putSigner(rawin)
    const { key, keyid } = await open()
    const file = await openSigner(join(folder, 'token', 'K.pem'))
    expect({ key, keyid }).toEqual({ key: file.key, keyid: file.keyid })
    expect(keyid).toBe(buildKeyid(key))
  })

  test('and leaves no file behind', async () => {
    await putToken('ed25519')
    await putProgram(
      `import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
writeFileSync('seen', process.argv[2])
process.stdout.write(execFileSync('openssl', ['pkeyutl', '-sign', '-rawin', '-inkey', 'token/K.pem', '-in', process.argv[2]]))`,
    )
    await putSigner([process.execPath, 'program.mjs', '{file}'])
    await expectSigned(await open())
    const seen = await readFile(join(folder, 'seen'), 'utf8')
    await expect(readFile(seen)).rejects.toMatchObject({ code: 'ENOENT' })
  })
})

/** Reads standard input whole, signs it with the token and hands the signature to `answer`. */
function signing(answer: string, options = ''): string {
  return `import { createPrivateKey, sign } from 'node:crypto'
import { readFileSync } from 'node:fs'
const key = createPrivateKey(readFileSync('token/K.pem'))
const input = readFileSync(0)
const signature = sign(key.asymmetricKeyType === 'ed25519' ? null : 'sha256', input, { key ${options} })
${answer}`
}

describe('the answer of a signing command', () => {
  test.each([
    ['raw', 'process.stdout.write(signature)'],
    ['hexadecimal', `console.log(signature.toString('hex'))`],
    ['upper-case hexadecimal', `console.log(signature.toString('hex').toUpperCase())`],
    ['base64', `console.log(signature.toString('base64'))`],
    ['base64url', `console.log(signature.toString('base64url'))`],
    [
      'base64 in lines',
      `console.log(signature.toString('base64').match(/.{1,20}/g).join('\\r\\n'))`,
    ],
  ])('may be %s', async (_what, answer) => {
    await putToken('ed25519')
    await putProgram(signing(answer))
    await expectSigned(await open())
  })

  test('may be the two integers of ECDSA as a token gives them', async () => {
    await putToken('ecdsa-p256')
    await putProgram(signing('process.stdout.write(signature)', `, dsaEncoding: 'ieee-p1363'`))
    const signer = await open()
    for (let round = 0; round < 3; round += 1) await expectSigned(signer)
  })

  test.each([
    ['is nothing', ''],
    ['is a signature of something else', `process.stdout.write(sign(null, Buffer.from('x'), key))`],
    ['says that it is done', `console.log('signed!')`],
    ['has one bit turned', 'signature[5] ^= 1; process.stdout.write(signature)'],
  ])('is refused where it %s', async (_what, answer) => {
    await putToken('ed25519')
    await putProgram(signing(answer))
    const signer = await open()
    const refusal = await expectRefusal(
      () => signer.sign(message),
      'SIGNER_FAILED',
      'is not a signature by the named key',
    )
    expect(refusal.facts).toMatchObject({
      expected: 'a pure Ed25519 signature of standard input',
      next: expect.stringContaining('"public-key"') as string,
    })
  })

  test('is refused where another key signed than the one that is named', async () => {
    await putToken('ed25519')
    await putKeyFile(join(folder, 'other', 'K.pem'), await buildPrivateKey('ed25519'))
    await putSigner(rawin, { 'public-key': 'other/K.pub' })
    const signer = await open()
    await expectRefusal(() => signer.sign(message), 'SIGNER_FAILED', 'not a signature by the named')
  })

  test('is refused where RSA is padded as of old', async () => {
    await putToken('rsa-pss')
    await putSigner(dgst('-sha256'))
    const signer = await open()
    const refusal = await expectRefusal(
      () => signer.sign(message),
      'SIGNER_FAILED',
      'not a signature by the named',
    )
    expect(refusal.facts.expected).toContain('RSASSA-PSS')
  })

  test('is not read to its end where it has none', async () => {
    await putToken('ed25519')
    await putProgram(`const more = () => process.stdout.write('x'.repeat(65536), more); more()`)
    const signer = await open()
    await expectRefusal(() => signer.sign(message), 'SIGNER_FAILED', 'wrote more than 16384 bytes')
  })
})

describe('a signing command that fails', () => {
  test('is quoted, by its exit code and what it complained about', async () => {
    await putToken('ed25519')
    await putProgram(`console.error('no token\\n in the slot \\u001b[31m'); process.exitCode = 3`)
    const signer = await open()
    const refusal = await expectRefusal(
      () => signer.sign(message),
      'SIGNER_FAILED',
      /^The signing command .* ended with exit code 3: no token in the slot \?\[31m$/,
    )
    expect(refusal.facts.next).toContain('by hand')
  })

  test('is believed in its exit code even after a good answer', async () => {
    await putToken('ed25519')
    await putProgram(signing('process.stdout.write(signature); process.exitCode = 1'))
    const signer = await open()
    await expectRefusal(
      () => signer.sign(message),
      'SIGNER_FAILED',
      'ended with exit code 1, and said nothing on standard error',
    )
  })

  test('complains at length, and only the end of it is quoted', async () => {
    await putToken('ed25519')
    await putProgram(
      `process.stderr.write('noise '.repeat(100_000) + 'the reason', () => process.exit(1))`,
    )
    const signer = await open()
    const refusal = await expectRefusal(() => signer.sign(message), 'SIGNER_FAILED', /the reason$/)
    expect(refusal.message.length).toBeLessThan(700)
  })

  test('does not end, and is ended, with what it started left without a pipe', async () => {
    await putToken('ed25519')
    await putSigner(['sh', '-c', 'sleep 60 & echo $! > child; wait'], { 'timeout-seconds': 2 })
    const signer = await open()
    const refusal = await expectRefusal(
      () => signer.sign(message),
      'SIGNER_FAILED',
      'The signing command sh did not end within 2 s',
    )
    expect(refusal.facts.next).toContain('timeout-seconds')
    process.kill(Number(await readFile(join(folder, 'child'), 'utf8')))
  })

  test('dies of a signal', async () => {
    await putToken('ed25519')
    await putSigner(['sh', '-c', 'kill -9 $$'])
    const signer = await open()
    await expectRefusal(() => signer.sign(message), 'SIGNER_FAILED', 'was ended by SIGKILL')
  })

  test('is not there', async () => {
    await putToken('ed25519')
    await putSigner(['no-such-program-of-ours'])
    const signer = await open()
    const refusal = await expectRefusal(
      () => signer.sign(message),
      'SIGNER_FAILED',
      'The signing command no-such-program-of-ours was not found',
    )
    expect(refusal.facts.expected).toContain(folder)
  })

  test('may answer without reading: that its input was not wanted is no failure', async () => {
    await putToken('ed25519')
    await putSigner(['true'])
    const signer = await open()
    await expectRefusal(() => signer.sign(message), 'SIGNER_FAILED', 'not a signature by the named')
  })
})

describe('a signing command gets', () => {
  test('its parameters as they are: there is no shell', async () => {
    await putToken('ed25519')
    await putProgram(
      `import { writeFileSync } from 'node:fs'
writeFileSync('seen', JSON.stringify(process.argv.slice(2)))`,
    )
    const hostile = ['$(touch pwned)', '; touch pwned', '`touch pwned`', '*', 'a b', '']
    await putSigner([process.execPath, 'program.mjs', ...hostile])
    const signer = await open()
    await expectRefusal(() => signer.sign(message), 'SIGNER_FAILED', 'not a signature')
    expect(JSON.parse(await readFile(join(folder, 'seen'), 'utf8'))).toEqual(hostile)
    expect(await readdir(folder)).not.toContain('pwned')
  })

  test('the variables that programs need, those that the signer file names, and no others', async () => {
    await putToken('ed25519')
    await putProgram(
      `import { writeFileSync } from 'node:fs'
writeFileSync('seen', JSON.stringify(process.env))`,
      { env: ['TUFGATE_TEST_WANTED', 'TUFGATE_TEST_ABSENT'] },
    )
    const signer = await open()
    process.env['TUFGATE_TEST_WANTED'] = 'yes'
    process.env['TUFGATE_TEST_SECRET'] = 'no'
    await expectRefusal(() => signer.sign(message), 'SIGNER_FAILED', 'not a signature')
    delete process.env['TUFGATE_TEST_WANTED']
    delete process.env['TUFGATE_TEST_SECRET']
    const seen: unknown = JSON.parse(await readFile(join(folder, 'seen'), 'utf8'))
    expect(seen).toMatchObject({ PATH: process.env['PATH'], TUFGATE_TEST_WANTED: 'yes' })
    expect(Object.keys(seen as object)).not.toContain('TUFGATE_TEST_SECRET')
    expect(Object.keys(seen as object)).not.toContain('TUFGATE_TEST_ABSENT')
  })

  test('the folder of the signer file to work in, wherever tufgate was started', async () => {
    await putToken('ed25519')
    await putSigner(['sh', '-c', 'pwd > seen'])
    const signer = await open()
    await expectRefusal(() => signer.sign(message), 'SIGNER_FAILED', 'not a signature')
    const seen = (await readFile(join(folder, 'seen'), 'utf8')).trim()
    expect(seen).toBe(execFileSync('realpath', [folder], { encoding: 'utf8' }).trim())
  })

  test('nothing before there is something to sign: opening a signer runs no command', async () => {
    await putToken('ed25519')
    await putSigner(['sh', '-c', 'touch seen'])
    await open()
    expect(await readdir(folder)).not.toContain('seen')
  })
})

describe('a signer file', () => {
  test.each([
    ['is no JSON', 'exec: openssl', /is not a signer file: /],
    ['names no command', '{"public-key":"K.pub"}', /exec: expected a list/],
    ['names an empty command', '{"public-key":"K.pub","exec":[]}', /expected a program/],
    ['names a command as text', '{"public-key":"K.pub","exec":"ls"}', /exec: expected a list/],
    ['names no key', '{"exec":["true"]}', /public-key: expected text/],
    [
      'has an unknown member',
      '{"public-key":"K.pub","exec":["true"],"shell":true}',
      /shell: unknown member, known are /,
    ],
    [
      'has a member twice',
      '{"public-key":"K.pub","exec":["true"],"exec":["false"]}',
      /stands twice/,
    ],
    [
      'has an odd input',
      '{"public-key":"K.pub","exec":["true"],"input":"hash"}',
      /expected "message" or "digest"/,
    ],
    [
      'waits for an hour',
      '{"public-key":"K.pub","exec":["true"],"timeout-seconds":3600}',
      /expected at most 600/,
    ],
    [
      'has a NUL in a parameter',
      String.raw`{"public-key":"K.pub","exec":["true\u0000"]}`,
      /a NUL character/,
    ],
  ])('is refused where it %s', async (_what, text, problem) => {
    await putToken('ed25519')
    await writeFile(join(folder, 'root-1.signer'), text, { mode: 0o600 })
    await expectRefusal(open, 'KEY_INVALID', problem)
  })

  test('that others can read or write is refused: they would decide what runs', async () => {
    await putToken('ed25519')
    await putSigner(['true'])
    await chmod(join(folder, 'root-1.signer'), 0o620)
    await expectRefusal(open, 'KEY_INVALID', 'can be read or changed by others (mode 620)')
    await chmod(join(folder, 'root-1.signer'), 0o600)
    await chmod(folder, 0o770)
    await expectRefusal(open, 'KEY_INVALID', 'can be read or changed by others (mode 770)')
  })

  test('may hold the public key itself', async () => {
    await putToken('ed25519')
    await putSigner(rawin, { 'public-key': await readFile(join(folder, 'K.pub'), 'utf8') })
    await expectSigned(await open())
  })

  test('cannot have a digest signed with Ed25519', async () => {
    await putToken('ed25519')
    await putSigner(rawin, { input: 'digest' })
    await expectRefusal(open, 'KEY_INVALID', 'Ed25519 signs the message itself')
  })

  test('beside a key file of the same name is refused: which of them is meant?', async () => {
    await putToken('ed25519')
    await putSigner(['true'])
    await writeFile(join(folder, 'root-1.pem'), '')
    await expectRefusal(open, 'KEY_INVALID', `${folder} has both root-1.pem and root-1.signer`)
  })
})
