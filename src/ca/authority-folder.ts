/**
 * Authorities on disk, in a folder of the state: one file (0600) for each set of hosts, with the key and the
 * certificate, so that the two are never of different ages. Two proxies with other hosts do not disturb each other.
 */

import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto'
import { join } from 'node:path'
import { encodeUtf8 } from '../base/bytes.ts'
import {
  DecodeError,
  readArray,
  readInteger,
  readMember,
  readObject,
  readString,
} from '../base/decode.ts'
import { sha256Hex } from '../base/digest.ts'
import { ConfigError } from '../base/errors.ts'
import { quoteShell } from '../base/quote-shell.ts'
import { parseJson } from '../base/strict-json.ts'
import { readPrivateFile, requirePrivateFolder } from '../signing/private-file.ts'
import { holdExclusively } from '../store/database.ts'
import { makeFolderPath } from '../store/make-folder.ts'
import { PrivateFiles } from '../store/private-files.ts'
import { buildStorageError } from '../store/storage-error.ts'
import { waitWhileBusy } from '../store/wait-while-busy.ts'
import { nameAuthority, requireInterceptedHosts } from './authority.ts'
import type { AuthorityPlace, HeldAuthority } from './authority.ts'
import type { InterceptedHost } from './intercepted-host.ts'
import { encodeNameConstraints } from './name-constraints.ts'

const format = 1
const folderName = 'authority'
const lockName = '.lock'

const rules = {
  kind: 'file of the local authority',
  maxFileBytes: 1024 * 1024,
  next: 'Make a new one: tufgate ca forget',
}

export interface KeptAuthority extends HeldAuthority {
  readonly hosts: readonly InterceptedHost[]
  readonly path: string
}

export function openAuthorityPlace(
  stateHome: string,
  hosts: readonly InterceptedHost[],
): AuthorityPlace {
  const files = new PrivateFiles(join(stateHome, folderName))
  const name = nameFile(hosts)
  const find = (): Promise<KeptAuthority | undefined> => findAuthority(files, name)
  return {
    find,
    replace: async (make) => {
      const lock = await waitWhileBusy(async () => holdFolder(files.folder))
      try {
        await requirePrivate(files.folder)
        const next = await make(await find())
        await files.put(name, renderAuthority(hosts, next))
        return next
      } finally {
        lock.close()
      }
    },
  }
}

/** All that are kept there. Throws KEY_INVALID for the first that is damaged, or open to others. */
export async function listAuthorities(stateHome: string): Promise<KeptAuthority[]> {
  const files = new PrivateFiles(join(stateHome, folderName))
  const found: KeptAuthority[] = []
  for (const name of listNames(files).filter((one) => one.endsWith('.json'))) {
    const authority = await findAuthority(files, name)
    if (authority !== undefined) found.push(authority)
  }
  return found
}

/** Damaged ones too. Gives how many there were. */
export function forgetAuthorities(stateHome: string): number {
  const files = new PrivateFiles(join(stateHome, folderName))
  const names = listNames(files)
  for (const name of names) files.remove(name)
  return names.length
}

/** With what a crash has left behind. */
function listNames(files: PrivateFiles): string[] {
  return files.list().filter((name) => /^[0-9a-f]{16}\.json/.test(name))
}

function nameFile(hosts: readonly InterceptedHost[]): string {
  const names = hosts.map(({ name }) => name).join('\n')
  return `${sha256Hex(encodeUtf8(names)).slice(0, 16)}.json`
}

function holdFolder(folder: string): { close(): void } {
  try {
    makeFolderPath(folder, 0o700)
  } catch (error) {
    throw buildStorageError(error, 'make', folder)
  }
  return holdExclusively(join(folder, lockName), 0)
}

async function findAuthority(
  files: PrivateFiles,
  name: string,
): Promise<KeptAuthority | undefined> {
  if (!files.list().includes(name)) return undefined
  const path = join(files.folder, name)
  await requirePrivate(files.folder)
  const text = await readPrivateFile(path, rules)
  try {
    return { ...parseAuthority(text, name), path }
  } catch (error) {
    throw refuseDamaged(path, error)
  }
}

/** Whoever can write to it can put an authority of his own there, before the first one is made too. */
function requirePrivate(folder: string): Promise<void> {
  return requirePrivateFolder(folder, (place) => `chmod 700 ${quoteShell(place)}`)
}

function refuseDamaged(path: string, error: unknown): unknown {
  // What others say of it may quote it, and the key with it.
  const isOurs = error instanceof DecodeError
  const problem = isOurs ? error.message : 'it cannot be read as a key and a certificate'
  return new ConfigError('KEY_INVALID', `The local authority in ${path} is damaged: ${problem}`, {
    next: 'Make a new one: tufgate ca forget, then tell the installers of it with tufgate ca export.',
  })
}

function renderAuthority(
  hosts: readonly InterceptedHost[],
  { key, certificatePem }: HeldAuthority,
): Uint8Array {
  const document = {
    format,
    hosts: hosts.map(({ name }) => name),
    certificate: certificatePem,
    key: key.export({ type: 'pkcs8', format: 'pem' }),
  }
  return encodeUtf8(`${JSON.stringify(document, undefined, 2)}\n`)
}

function parseAuthority(text: string, name: string): Omit<KeptAuthority, 'path'> {
  const document = readObject(parseJson(encodeUtf8(text)))
  readMember(document, 'format', requireFormat)
  const rawHosts = readMember(document, 'hosts', (value) => readArray(value, readString))
  const hosts = requireInterceptedHosts(rawHosts)
  // Moved here, it would speak for other hosts than those that are asked for.
  if (nameFile(hosts) !== name) throw new DecodeError('its name is that of other hosts')
  const key = createPrivateKey(readMember(document, 'key', readString))
  const certificatePem = readMember(document, 'certificate', readString)
  const certificate = new X509Certificate(certificatePem)
  requireMatch(certificate, key, hosts)
  return {
    hosts,
    key,
    certificatePem,
    from: certificate.validFromDate.getTime(),
    until: certificate.validToDate.getTime(),
  }
}

function requireFormat(value: unknown): void {
  const found = readInteger(value, 1)
  if (found === format) return
  throw new DecodeError(`written by another tufgate (format ${found}, this one knows ${format})`)
}

function requireMatch(
  certificate: X509Certificate,
  key: KeyObject,
  hosts: readonly InterceptedHost[],
): void {
  const isOwn = certificate.ca && certificate.checkPrivateKey(key)
  if (!isOwn || !certificate.subject.includes(nameAuthority(key))) {
    throw new DecodeError('the certificate is not that of the key')
  }
  // It may be broader than what is asked of it only if somebody else has made it.
  if (!certificate.raw.includes(Buffer.from(encodeNameConstraints(hosts)))) {
    throw new DecodeError('the certificate does not name exactly these hosts')
  }
}
