import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  findCredentialVariables,
  readCredentials,
  type PrivateIndex,
} from '../../src/cli/read-credentials.ts'
import { createCredentials, type Credentials } from '../../src/upstream/credentials.ts'

const url = 'https://pypi.acme.example/simple/'
let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tufgate-credentials-'))
})
afterAll(async () => {
  await rm(folder, { recursive: true, force: true })
})

function read(
  credentials: string,
  environment: Record<string, string> = {},
  index: Partial<PrivateIndex> = {},
): Promise<Credentials | undefined> {
  return readCredentials({ label: 'index acme', url, credentials, ...index }, environment)
}

function failureOf(reading: Promise<unknown>): Promise<unknown> {
  return reading.then(
    () => undefined,
    (error: unknown) => error,
  )
}

/** What the header says, decoded. */
function decode(credentials: Credentials | undefined): string {
  const [, encoded = ''] = /^Basic (\S+)$/.exec(credentials?.renderAuthorization() ?? '') ?? []
  return Buffer.from(encoded, 'base64').toString()
}

async function write(name: string, text: string | Uint8Array, mode = 0o600): Promise<string> {
  const path = join(folder, name)
  await writeFile(path, text)
  await chmod(path, mode)
  return path
}

describe('credentials', () => {
  test('come from a variable: the password may have colons, spaces and letters beyond ASCII', async () => {
    const found = await read('env:ACME', { ACME: 'änn:p:ä ss' })
    expect(decode(found)).toBe('änn:p:ä ss')
    expect(found).toMatchObject({ origin: 'https://pypi.acme.example', setting: 'env:ACME' })
  })

  test('come from a file of one line, with or without its end', async () => {
    expect(decode(await read(`file:${await write('one', 'ann:secret\n')}`))).toBe('ann:secret')
    expect(decode(await read(`file:${await write('two', ':token')}`))).toBe(':token')
  })

  test('come from a netrc file that is named, or from $NETRC, or from the home', async () => {
    const path = await write('.netrc', 'machine pypi.acme.example login ann password s3\n')
    expect(decode(await read(`netrc:${path}`))).toBe('ann:s3')
    expect(decode(await read('netrc', { NETRC: path }))).toBe('ann:s3')
    expect(decode(await read('netrc', { HOME: folder }))).toBe('ann:s3')
  })

  test('are none where the index names none', async () => {
    expect(await readCredentials({ label: 'index acme', url }, {})).toBeUndefined()
  })

  test('cannot be seen in what prints them', () => {
    const found = createCredentials(url, 'netrc', { user: 'ann', password: 'hunter2' })
    const shown = inspect(found, { depth: 9, showHidden: true }) + JSON.stringify(found)
    expect(shown).not.toContain('hunter2')
    expect(shown).not.toContain(Buffer.from('ann:hunter2').toString('base64'))
  })

  test('name the variables that a command must not inherit', () => {
    const indexes = [{ credentials: 'env:A' }, { credentials: 'netrc' }, {}]
    expect(findCredentialVariables(indexes)).toEqual(['A'])
  })
})

describe('credentials are refused', () => {
  test.each([
    [{}, 'The variable ACME, which credentials of index acme names, is not set.'],
    [{ ACME: '' }, 'The variable ACME, which credentials of index acme names, is empty.'],
    [{ ACME: 'hunter2' }, 'holds no USER:PASSWORD: there is no colon in it.'],
    [{ ACME: 'hunter2:' }, '"env:ACME", the credentials of index acme: the password is empty.'],
    [{ ACME: 'a:hunter2\r\nx: y' }, 'control characters or several lines in it.'],
  ])('from the variable of %j, without quoting it', async (environment, message) => {
    const error = await failureOf(read('env:ACME', environment))
    expect(error).toMatchObject({ code: 'CONFIG_INVALID' })
    expect(String(error)).toContain(message)
    expect(inspect(error, { depth: 9 })).not.toContain('hunter2')
  })

  test('in a file that others can read, with the command that mends it', async () => {
    const path = await write('open', 'ann:hunter2', 0o640)
    await expect(read(`file:${path}`)).rejects.toMatchObject({
      code: 'KEY_INVALID',
      message: `${path} can be read or changed by others (mode 640)`,
      facts: { next: `chmod 600 ${path}` },
    })
    const netrc = await write('open-netrc', 'machine a login b password hunter2', 0o644)
    await expect(read(`netrc:${netrc}`)).rejects.toMatchObject({
      facts: { next: `chmod 600 ${netrc}` },
    })
  })

  test('in a file that is not there, with how to make it', async () => {
    const path = join(folder, 'absent')
    await expect(read(`file:${path}`)).rejects.toMatchObject({
      message: `The file of credentials ${path} does not exist`,
      facts: { next: `Put USER:PASSWORD into it, for yourself alone: (umask 077; cat > ${path})` },
    })
  })

  test('in a netrc file that cannot be read, by the line alone', async () => {
    const path = await write('broken', 'machine a login b password "hunter2')
    const error = await failureOf(read(`netrc:${path}`))
    expect(String(error)).toContain('cannot be read as netrc: line 1: a quote is not closed.')
    expect(inspect(error, { depth: 9 })).not.toContain('hunter2')
  })

  test('of a netrc file without this host, with the line to add', async () => {
    const path = await write('other', 'machine other.example login b password hunter2')
    await expect(read(`netrc:${path}`)).rejects.toMatchObject({
      message: `${path} has no entry for pypi.acme.example, the host of index acme.`,
      facts: { next: 'Add a line to it: machine pypi.acme.example login USER password PASSWORD' },
    })
  })

  test('of a netrc file that is not there, with how to make one that nobody else can read', async () => {
    const path = join(folder, 'none')
    await expect(read(`netrc:${path}`)).rejects.toMatchObject({
      message: `The netrc file ${path} does not exist`,
      facts: {
        next: `Put a line into it, for yourself alone: (umask 077; cat > ${path}), then: machine pypi.acme.example login USER password PASSWORD`,
      },
    })
  })

  test('of a netrc file that cannot be opened, with the reason', async () => {
    const path = join(await write('no-folder', 'text'), 'netrc')
    await expect(read(`netrc:${path}`)).rejects.toMatchObject({
      message: `The netrc file ${path} cannot be opened: a part of the path is not a folder`,
    })
  })

  test('that are not UTF-8', async () => {
    const path = await write('latin1', Buffer.from('ann:p\xe4ss', 'latin1'))
    await expect(read(`file:${path}`)).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
  })

  test('with a user name that has a colon, which only netrc can say', async () => {
    const path = await write('colon', 'machine pypi.acme.example login a:b password c')
    const error = await failureOf(read(`netrc:${path}`))
    expect(String(error)).toContain('the user name has a colon, which HTTP cannot send')
  })

  test('over plain http to another machine, where everybody on the way reads the password', async () => {
    const error = await failureOf(read('env:A', { A: 'a:b' }, { url: 'http://devpi:3141/simple/' }))
    expect(error).toMatchObject({
      code: 'CONFIG_INVALID',
      message:
        'index acme has credentials, but http://devpi:3141 is plain http: everybody on the way could read the password.',
    })
    for (const own of ['http://127.0.0.1:3141/', 'http://localhost/simple/', 'http://[::1]:1/']) {
      expect(await read('env:A', { A: 'a:b' }, { url: own })).toBeDefined()
    }
  })

  test('for a folder, which needs none', async () => {
    await expect(read('env:A', { A: 'a:b' }, { url: '/srv/index' })).rejects.toThrow(
      'index acme has credentials, but no http(s) URL.',
    )
  })
})
