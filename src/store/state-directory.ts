/**
 * Where a proxy keeps what it must not forget: `<state home>/<sha256 of the pinned root>/`, readable
 * and writable by its owner alone.
 *
 * It is remembered which content each root file had: a changed one gets another folder, without
 * floors, so whoever opens it must see to it that the new root descends from the old.
 */

import { existsSync, lstatSync, realpathSync } from 'node:fs'
import { homedir } from 'node:os'
import { isAbsolute, join, relative } from 'node:path'
import { encodeUtf8 } from '../base/bytes.ts'
import { DecodeError, readInteger, readMember, readObject, readString } from '../base/decode.ts'
import { isSha256, sha256Hex } from '../base/digest.ts'
import type { Environment } from '../base/environment.ts'
import { ConfigError, describeError, StorageError } from '../base/errors.ts'
import { quoteShell } from '../base/quote-shell.ts'
import { parseJson } from '../base/strict-json.ts'
import { removeIfThere, writeFileAtomic } from './atomic-file.ts'
import { makeFolderPath } from './make-folder.ts'
import { readRegular } from './regular-file.ts'
import { buildStorageError, findErrno } from './storage-error.ts'

export interface StateDirectory {
  readonly path: string
  readonly metadata: string
  readonly vault: string
  readonly audit: string
  /** The database of `FloorStore`. */
  readonly floors: string
  /** Set where the root file had another content before: its sha256, and its folder. */
  readonly previous?: { readonly rootSha256: string; readonly path: string }
  /** Makes the present content of the root file the remembered one. */
  rememberRoot(): Promise<void>
  /** What an operator runs to start afresh with the present content of the root file. */
  readonly forgetCommand: string
}

export interface PinnedRoot {
  /** Absolute. */
  readonly path: string
  readonly sha256: string
}

const format = 1

/** `$XDG_STATE_HOME/tufgate`, or `~/.local/state/tufgate`. A relative value does not count (XDG). */
export function findStateHome(environment: Environment): string {
  const stateHome = environment['XDG_STATE_HOME'] ?? ''
  if (isAbsolute(stateHome)) return join(stateHome, 'tufgate')
  return join(environment['HOME'] ?? homedir(), '.local', 'state', 'tufgate')
}

/**
 * Makes what is missing. The root is remembered at once where its file is new, and only by
 * `rememberRoot` where it had another content. Throws ConfigError CONFIG_INVALID for a folder that
 * others can write, and STATE_NEWER for one of a newer tufgate.
 */
export async function openStateDirectory(
  stateHome: string,
  root: PinnedRoot,
): Promise<StateDirectory> {
  if (!isSha256(root.sha256)) throw new TypeError('the digest of a root is a sha256 in lower case')
  const path = join(stateHome, root.sha256)
  const pin = pinPath(stateHome, root.path)
  for (const folder of [stateHome, join(stateHome, 'pins'), path]) openPrivateFolder(folder)
  for (const name of ['metadata', 'vault', 'audit']) openPrivateFolder(join(path, name))
  await openFormat(join(path, 'state.json'), root)
  const remembered = findPin(pin)
  const rememberRoot = (): Promise<void> => writePin(pin, root)
  if (remembered === undefined) await rememberRoot()
  const isChanged = remembered !== undefined && remembered !== root.sha256
  const previous = { rootSha256: remembered ?? '', path: join(stateHome, remembered ?? '') }
  return {
    path,
    metadata: join(path, 'metadata'),
    vault: join(path, 'vault'),
    audit: join(path, 'audit'),
    floors: join(path, 'floors.db'),
    ...(isChanged && { previous }),
    rememberRoot,
    forgetCommand: `rm ${quoteShell(pin)}`,
  }
}

/** Whether a root was ever remembered that stands, or stood, at a path in the state itself. */
export function hasOwnRoot(stateHome: string, rootPath: string): boolean {
  return existsSync(ownPinPath(stateHome, rootPath))
}

/** The next root at this path in the state is a new one, whatever stood there before. */
export function forgetOwnRoot(stateHome: string, rootPath: string): void {
  removeIfThere(ownPinPath(stateHome, rootPath))
}

/** Roots are remembered by their real path, which a root that is gone has no more. */
function ownPinPath(stateHome: string, rootPath: string): string {
  const home = existsSync(stateHome) ? realpathSync(stateHome) : stateHome
  return pinPath(stateHome, join(home, relative(stateHome, rootPath)))
}

function pinPath(stateHome: string, rootPath: string): string {
  return join(stateHome, 'pins', `${sha256Hex(encodeUtf8(rootPath))}.json`)
}

/** Makes what is missing. Throws ConfigError CONFIG_INVALID for a folder that others can write. */
export function openPrivateFolder(path: string): void {
  try {
    makeFolderPath(path, 0o700)
  } catch (error) {
    throw buildStorageError(error, 'make the state folder', path)
  }
  requirePrivateFolder(path)
}

/** What stands in it could otherwise be somebody else's word. That it is missing is no error. */
export function requirePrivateFolder(path: string): void {
  const stats = lstatSync(path, { throwIfNoEntry: false })
  if (stats === undefined) return
  const user = process.geteuid?.()
  if (!stats.isDirectory()) refuseFolder(path, 'is not a folder', `rm ${quoteShell(path)}`)
  if (user !== undefined && stats.uid !== user) {
    refuseFolder(
      path,
      `belongs to user ${stats.uid}, not to ${user}`,
      `chown -R ${user} ${quoteShell(path)}`,
    )
  }
  if ((stats.mode & 0o022) !== 0) {
    refuseFolder(path, 'can be written by other users', `chmod go-w ${quoteShell(path)}`)
  }
}

function refuseFolder(path: string, problem: string, command: string): never {
  throw new ConfigError('CONFIG_INVALID', `the state folder ${path} ${problem}`, {
    found: problem,
    next: `run: ${command}`,
  })
}

async function openFormat(path: string, root: PinnedRoot): Promise<void> {
  const found = findFormat(path)
  if (found === undefined) {
    await writeJson(path, { format, root: { path: root.path, sha256: root.sha256 } })
  } else if (found > format) {
    throw new ConfigError(
      'STATE_NEWER',
      `${path} was written by a newer tufgate (format ${found})`,
      {
        expected: `format ${format}`,
        found: `format ${found}`,
        next: 'use the newer tufgate, or another state folder',
      },
    )
  }
}

function findFormat(path: string): number | undefined {
  return findJson(path, (value) =>
    readMember(readObject(value), 'format', (item) => readInteger(item, 1)),
  )
}

/** The sha256 that the root file had when it was last accepted. */
function findPin(path: string): string | undefined {
  return findJson(path, (value) => {
    const sha256 = readMember(readObject(value), 'sha256', readString)
    if (!isSha256(sha256)) throw new DecodeError('is not a sha256', ['sha256'])
    return sha256
  })
}

function writePin(path: string, root: PinnedRoot): Promise<void> {
  return writeJson(path, { path: root.path, sha256: root.sha256 })
}

function writeJson(path: string, value: unknown): Promise<void> {
  return writeFileAtomic(path, encodeUtf8(`${JSON.stringify(value)}\n`))
}

/** A damaged file is not taken for an absent one: that would forget which root was trusted. */
function findJson<T>(path: string, read: (value: unknown) => T): T | undefined {
  try {
    return read(parseJson(readRegular(path)))
  } catch (error) {
    if (findErrno(error) === 'ENOENT') return undefined
    if (error instanceof StorageError || findErrno(error) !== undefined)
      throw buildStorageError(error, 'read', path)
    throw new ConfigError('CONFIG_INVALID', `${path} is damaged: ${describeError(error)}`, {
      next: `check that the root file is the one that you trust, then run: rm ${quoteShell(path)}`,
      cause: error,
    })
  }
}
