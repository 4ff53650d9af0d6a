/**
 * Files that are nobody else's business: readable by their owner alone, of a bounded size.
 *
 * Keys, the files that name a signing command, and passphrases. What they hold is read elsewhere.
 */

import { constants } from 'node:fs'
import { open, stat, type FileHandle } from 'node:fs/promises'
import { ConfigError } from '../base/errors.ts'
import { findErrno } from '../store/storage-error.ts'

export interface PrivateFileRules {
  /** For messages: "key file", "passphrase file". */
  readonly kind: string
  readonly maxFileBytes: number
  /** What to do where it is missing. */
  readonly next: string
}

/** Throws KEY_INVALID where it is missing, reachable by others, somebody else's, no file or too long. */
export async function readPrivateFile(path: string, rules: PrivateFileRules): Promise<string> {
  const { kind, maxFileBytes } = rules
  const file = await openPrivate(path, rules)
  try {
    const found = await file.stat()
    requirePrivateMode(path, found.mode, '600')
    requireOwner(path, found.uid)
    if (!found.isFile() || found.size > maxFileBytes) {
      throw new ConfigError('KEY_INVALID', `${path} is not a ${kind}`, {
        expected: `a file of at most ${maxFileBytes} bytes`,
        found: found.isFile() ? `${found.size} bytes` : 'not a file',
        next: `Name the ${kind} itself.`,
      })
    }
    return await file.readFile('utf8')
  } finally {
    await file.close()
  }
}

async function openPrivate(path: string, { kind, next }: PrivateFileRules): Promise<FileHandle> {
  try {
    // Without O_NONBLOCK a FIFO in its place would hold the program up for ever.
    return await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
  } catch (cause) {
    const reason = findErrno(cause) === 'ENOENT' ? 'does not exist' : 'cannot be opened'
    throw new ConfigError('KEY_INVALID', `The ${kind} ${path} ${reason}`, { next, cause })
  }
}

/** Whoever can write to the folder can put another key in the place of the right one. */
export async function requirePrivateFolder(folder: string): Promise<void> {
  const { mode, uid } = await statFolder(folder)
  requirePrivateMode(folder, mode, '700')
  requireOwner(folder, uid)
}

async function statFolder(folder: string): Promise<{ mode: number; uid: number }> {
  try {
    return await stat(folder)
  } catch (cause) {
    throw new ConfigError('KEY_INVALID', `The key folder ${folder} cannot be read`, {
      next: 'Put it back from its backup, or name the folder in which the keys are.',
      cause,
    })
  }
}

function requirePrivateMode(path: string, mode: number, wanted: '600' | '700'): void {
  if ((mode & 0o077) === 0) return
  const found = (mode & 0o777).toString(8).padStart(3, '0')
  throw new ConfigError('KEY_INVALID', `${path} can be read or changed by others (mode ${found})`, {
    expected: wanted,
    found,
    next: `chmod ${wanted} ${path}`,
  })
}

/** Whoever owns a file can open it to others again: only ourselves and root may. */
function requireOwner(path: string, uid: number): void {
  const own = process.getuid?.()
  if (own === undefined || uid === own || uid === 0) return
  throw new ConfigError('KEY_INVALID', `${path} belongs to another user (uid ${uid})`, {
    expected: `uid ${own}`,
    found: `uid ${uid}`,
    next: `chown ${own} ${path}`,
  })
}
