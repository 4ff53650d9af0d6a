import { X509Certificate } from 'node:crypto'
import {
  chmod,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import {
  forgetAuthorities,
  listAuthorities,
  openAuthorityPlace,
} from '../../src/ca/authority-folder.ts'
import { isTufgateError, type TufgateError } from '../../src/base/errors.ts'
import { Authority, requireInterceptedHosts } from '../../src/ca/authority.ts'

const start = Date.UTC(2026, 10, 20, 12)
const day = 86_400_000

let state: string

beforeEach(async () => {
  state = await mkdtemp(join(tmpdir(), 'tufgate-authority-'))
})

afterEach(async () => {
  await rm(state, { recursive: true })
})

function open(rawHosts: readonly string[] = ['pypi.org'], now = start): Authority {
  const hosts = requireInterceptedHosts(rawHosts)
  return new Authority({ hosts, clock: () => now, place: openAuthorityPlace(state, hosts) })
}

async function findRefusal(): Promise<TufgateError> {
  const error: unknown = await open()
    .certificate()
    .catch((reason: unknown) => reason)
  if (isTufgateError(error)) return error
  throw new Error('nothing was refused')
}

async function findFile(): Promise<string> {
  const names = await readdir(join(state, 'authority'))
  const name = names.find((one) => one.endsWith('.json'))
  return join(state, 'authority', name ?? 'none')
}

async function alter(change: (document: Record<string, unknown>) => object): Promise<string> {
  await open().certificate()
  const path = await findFile()
  const document = JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>
  await writeFile(path, JSON.stringify(change(document)))
  return path
}

test('is the same after a restart', async () => {
  const first = await open().certificate()

  expect(await open().certificate()).toBe(first)
  expect(await open(['PyPI.org:443'], start + 100 * day).certificate()).toBe(first)
})

test('nothing is on disk before it is asked for', async () => {
  open()

  expect(await readdir(state)).toEqual([])
})

test('its file and folder are for their owner alone', async () => {
  await open().certificate()

  expect((await stat(join(state, 'authority'))).mode & 0o777).toBe(0o700)
  expect((await stat(await findFile())).mode & 0o777).toBe(0o600)
})

test('other hosts have another authority, and the first one stays', async () => {
  const first = await open().certificate()

  const other = await open(['pypi.org', 'files.pythonhosted.org']).certificate()

  expect(other).not.toBe(first)
  expect(await open().certificate()).toBe(first)
  expect(await listAuthorities(state)).toHaveLength(2)
})

test('is renewed with the same key at half of its life, on disk too', async () => {
  const first = new X509Certificate(await open().certificate())

  const renewed = new X509Certificate(await open(['pypi.org'], start + 200 * day).certificate())

  expect(renewed.validToDate.getTime()).toBe(start + 565 * day)
  expect(renewed.publicKey.equals(first.publicKey)).toBe(true)
  expect(await open(['pypi.org'], start + 201 * day).certificate()).toBe(renewed.toString())
})

test('a key that has long expired is put to use again under the same name', async () => {
  const first = new X509Certificate(await open().certificate())

  const renewed = new X509Certificate(await open(['pypi.org'], start + 5000 * day).certificate())

  expect(renewed.subject).toBe(first.subject)
})

test('two processes that begin at once have one authority', async () => {
  const [one, other] = [open(), open()]

  const [left, right] = await Promise.all([one.certificate(), other.certificate()])

  expect(left).toBe(right)
})

test('is forgotten with all that belongs to it', async () => {
  const first = await open().certificate()
  await writeFile(`${await findFile()}.new-0123456789abcdef`, 'what a crash has left')

  expect(forgetAuthorities(state)).toBe(2)

  expect(await readdir(join(state, 'authority'))).toEqual(['.lock'])
  expect(await open().certificate()).not.toBe(first)
})

test('nothing to forget or to list where nothing was made', async () => {
  expect(forgetAuthorities(state)).toBe(0)
  expect(await listAuthorities(state)).toEqual([])
})

test.each([0o640, 0o604, 0o666])('refuses a key that others can reach (mode %o)', async (mode) => {
  await open().certificate()
  const path = await findFile()
  await chmod(path, mode)

  await expect(open().certificate()).rejects.toMatchObject({
    code: 'KEY_INVALID',
    message: `${path} can be read or changed by others (mode ${mode.toString(8)})`,
    facts: { next: `chmod 600 ${path}` },
  })
})

test('refuses a folder that others can write to: they could put a key of theirs there', async () => {
  await open().certificate()
  const folder = join(state, 'authority')
  await chmod(folder, 0o777)

  await expect(open().certificate()).rejects.toMatchObject({
    code: 'KEY_INVALID',
    facts: { next: `chmod 700 ${folder}` },
  })
})

test('makes no key in a folder that was made for it by others to write to', async () => {
  const folder = join(state, 'authority')
  await mkdir(folder)
  await chmod(folder, 0o777)

  await expect(open().certificate()).rejects.toMatchObject({ code: 'KEY_INVALID' })

  expect(await readdir(folder)).toEqual(['.lock'])
})

test.each([
  ['a file that breaks off', () => ({}), 'format: expected an integer'],
  ['another format', (file: object) => ({ ...file, format: 2 }), 'written by another tufgate'],
  ['other hosts', (file: object) => ({ ...file, hosts: ['evil.test'] }), 'that of other hosts'],
  ['no hosts', (file: object) => ({ ...file, hosts: [] }), 'cannot be read'],
  ['no key', (file: object) => ({ ...file, key: '' }), 'cannot be read as a key and a certificate'],
])('refuses %s', async (_what, change, problem) => {
  const path = await alter(change)

  const error = await findRefusal()

  expect(error).toMatchObject({ code: 'KEY_INVALID' })
  expect(error.message).toContain(`The local authority in ${path} is damaged: `)
  expect(error.message).toContain(problem)
  expect(error.facts.next).toContain('tufgate ca forget')
})

test('refuses the certificate of another key', async () => {
  const other = await open(['evil.test']).certificate()
  forgetAuthorities(state)
  await alter((file) => ({ ...file, certificate: other }))

  await expect(open().certificate()).rejects.toThrow('the certificate is not that of the key')
})

test('refuses the authority for other hosts in the place of the one that is asked for', async () => {
  await open(['pypi.org', 'evil.test']).certificate()
  const other = await findFile()
  await open().certificate()
  const names = await readdir(join(state, 'authority'))
  const own = names.find((name) => name.endsWith('.json') && !other.endsWith(name)) ?? ''
  await rename(other, join(state, 'authority', own))

  expect((await findRefusal()).message).toContain('its name is that of other hosts')
})

test('refuses the key and certificate for other hosts under the names of these', async () => {
  await open(['pypi.org', 'evil.test']).certificate()
  const other = JSON.parse(await readFile(await findFile(), 'utf8')) as Record<string, unknown>
  forgetAuthorities(state)
  await alter((file) => ({ ...file, key: other['key'], certificate: other['certificate'] }))

  await expect(open().certificate()).rejects.toThrow('does not name exactly these hosts')
})

test('what is said of a damaged file does not have the key in it', async () => {
  await open().certificate()
  const path = await findFile()
  const text = await readFile(path, 'utf8')
  const { key } = JSON.parse(text) as { key: string }
  for (const damaged of [text.slice(0, -3), text.replace('"key": "', '"key": '), key]) {
    await writeFile(path, damaged)
    const error = await findRefusal()
    const shown = `${error.message} ${JSON.stringify(error.facts)} ${String(error.cause)}`
    for (const line of key.split('\n').filter((one) => one !== '')) {
      expect(shown).not.toContain(line.slice(0, 16))
    }
  }
})
