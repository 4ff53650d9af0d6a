/**
 * What the setting `credentials` of an index stands for: a user name and password from a netrc file,
 * a variable of the environment or a file of its own. No message quotes what was read.
 */

import { homedir } from 'node:os'
import { join } from 'node:path'
import { DecodeError } from '../base/decode.ts'
import type { Environment } from '../base/environment.ts'
import { ConfigError } from '../base/errors.ts'
import { unbracketHost } from '../base/url-host.ts'
import { findNetrcEntry, parseNetrc } from '../installers/netrc.ts'
import { readPrivateFile } from '../signing/private-file.ts'
import {
  createCredentials,
  type Credentials,
  type UserAndPassword,
} from '../upstream/credentials.ts'

export interface PrivateIndex {
  /** For messages: `index acme`, `the index of the mirror`. */
  readonly label: string
  readonly url: string
  /** `netrc`, `netrc:FILE`, `env:NAME` or `file:FILE`. */
  readonly credentials?: string | undefined
}

const maxFileBytes = 1_000_000

/** `undefined` where the index has none. Throws CONFIG_INVALID and KEY_INVALID. */
export async function readCredentials(
  index: PrivateIndex,
  environment: Environment = process.env,
): Promise<Credentials | undefined> {
  const { url, credentials: setting } = index
  if (setting === undefined) return undefined
  requireSafeWay(index)
  const found = await readSource(setting, index, environment)
  requireSendable(found, setting, index)
  return createCredentials(url, setting, found)
}

/** The variables that hold secrets: not for a command that the proxy is started for. */
export function findCredentialVariables(
  indexes: readonly { readonly credentials?: string | undefined }[],
): string[] {
  return indexes.flatMap(({ credentials = '' }) =>
    credentials.startsWith('env:') ? [credentials.slice('env:'.length)] : [],
  )
}

function readSource(
  setting: string,
  index: PrivateIndex,
  environment: Environment,
): UserAndPassword | Promise<UserAndPassword> {
  const [kind, value] = splitSetting(setting)
  if (kind === 'env') return readVariable(value, index, environment)
  if (kind === 'file') return readFile(value, index)
  return readNetrc(value === '' ? findNetrc(environment) : value, index)
}

function splitSetting(setting: string): [kind: string, value: string] {
  const colon = setting.indexOf(':')
  return colon < 0 ? [setting, ''] : [setting.slice(0, colon), setting.slice(colon + 1)]
}

function findNetrc(environment: Environment): string {
  return environment['NETRC'] ?? join(environment['HOME'] ?? homedir(), '.netrc')
}

function readVariable(
  name: string,
  { label }: PrivateIndex,
  environment: Environment,
): UserAndPassword {
  const value = environment[name]
  if (value === undefined || value === '') {
    throw new ConfigError(
      'CONFIG_INVALID',
      `The variable ${name}, which credentials of ${label} names, is ${value === undefined ? 'not set' : 'empty'}.`,
      { expected: 'USER:PASSWORD', next: `Set ${name} to USER:PASSWORD, or change credentials.` },
    )
  }
  return parsePair(value, { place: `The variable ${name}`, label })
}

async function readFile(path: string, { label }: PrivateIndex): Promise<UserAndPassword> {
  const text = await readPrivateFile(path, {
    kind: 'file of credentials',
    maxFileBytes,
    next: `Put USER:PASSWORD into it, for yourself alone: (umask 077; cat > ${path})`,
  })
  return parsePair(text.replace(/\r?\n$/, ''), { place: `The file ${path}`, label })
}

async function readNetrc(path: string, { label, url }: PrivateIndex): Promise<UserAndPassword> {
  const host = unbracketHost(new URL(url).hostname)
  const line = `machine ${host} login USER password PASSWORD`
  const text = await readPrivateFile(path, {
    kind: 'netrc file',
    maxFileBytes,
    next: `Put a line into it, for yourself alone: (umask 077; cat > ${path}), then: ${line}`,
  })
  const found = findNetrcEntry(requireNetrc(text, path), host)
  if (found !== undefined) return { user: found.login, password: found.password }
  throw new ConfigError(
    'CONFIG_INVALID',
    `${path} has no entry for ${host}, the host of ${label}.`,
    {
      expected: `machine ${host}`,
      next: `Add a line to it: ${line}`,
    },
  )
}

function requireNetrc(text: string, path: string): ReturnType<typeof parseNetrc> {
  try {
    return parseNetrc(text)
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error
    throw new ConfigError('CONFIG_INVALID', `${path} cannot be read as netrc: ${error.message}.`, {
      next: 'Look at this line and the ones before it; passwords with spaces need quotes.',
    })
  }
}

interface PairSource {
  readonly place: string
  readonly label: string
}

/** RFC 7617 2: the user name has no colon, the password may. */
function parsePair(text: string, { place, label }: PairSource): UserAndPassword {
  const colon = text.indexOf(':')
  if (colon >= 0) return { user: text.slice(0, colon), password: text.slice(colon + 1) }
  throw new ConfigError(
    'CONFIG_INVALID',
    `${place}, which credentials of ${label} names, holds no USER:PASSWORD: there is no colon in it.`,
    {
      expected: 'USER:PASSWORD',
      next: 'Write the user name, a colon and the password; a token often has the user name __token__.',
    },
  )
}

function requireSendable(
  { user, password }: UserAndPassword,
  setting: string,
  { label }: PrivateIndex,
): void {
  const problem = findProblem(user, password)
  if (problem === undefined) return
  throw new ConfigError(
    'CONFIG_INVALID',
    `"${setting}", the credentials of ${label}: ${problem}.`,
    {
      expected: 'USER:PASSWORD on one line, in UTF-8',
    },
  )
}

function findProblem(user: string, password: string): string | undefined {
  if (user.includes(':')) return 'the user name has a colon, which HTTP cannot send'
  if (password === '') return 'the password is empty'
  // RFC 7617 2: no control characters; a second line is a mistake in the file.
  if (/\p{Cc}/u.test(user + password)) return 'there are control characters or several lines in it'
  return (user + password).includes('\ufffd') ? 'it is not UTF-8' : undefined
}

const ownHosts: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]'])

/** Basic authentication is the password itself: on a wire of others it is read once and lost. */
function requireSafeWay({ label, url }: PrivateIndex): void {
  const parsed = URL.parse(url)
  if (parsed === null || !/^https?:$/.test(parsed.protocol)) {
    throw new ConfigError('CONFIG_INVALID', `${label} has credentials, but no http(s) URL.`, {
      next: 'Leave credentials out: a folder needs none.',
    })
  }
  if (parsed.protocol === 'https:' || ownHosts.has(parsed.hostname)) return
  throw new ConfigError(
    'CONFIG_INVALID',
    `${label} has credentials, but ${parsed.origin} is plain http: everybody on the way could read the password.`,
    {
      expected: 'https, or an index on this machine',
      found: parsed.origin,
      next: `Use https://${parsed.host}/, or a tunnel to it that listens on 127.0.0.1.`,
    },
  )
}
