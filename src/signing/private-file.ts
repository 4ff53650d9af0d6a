/**
 * Files that are nobody else's business: readable by their owner alone, of a bounded size.
 *
 * Keys, the files that name a signing command, and passphrases. What they hold is read elsewhere.
 */

import { constants } from 'node:fs'
import { open, readdir, stat, type FileHandle } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { ConfigError } from '../base/errors.ts'
import { describeErrno, findErrno } from '../store/storage-error.ts'

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
    requirePrivateMode(path, found.mode, { wanted: '600', next: `chmod 600 ${path}` })
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
    const isMissing = findErrno(cause) === 'ENOENT'
    const reason = isMissing ? 'does not exist' : `cannot be opened: ${describeErrno(cause)}`
    throw new ConfigError('KEY_INVALID', `The ${kind} ${path} ${reason}`, {
      next: isMissing ? next : `Give it to the user that runs tufgate: chown USER ${path}`,
      cause,
    })
  }
}

/**
 * Whoever can write to the folder can put another key in the place of the right one.
 * @param advise what else than chmod helps, where the folder is not one of keys alone
 */
export async function requirePrivateFolder(
  folder: string,
  advise: (folder: string) => string,
): Promise<void> {
  const { mode, uid } = await statFolder(folder)
  const place = folder === '.' ? resolve(folder) : folder
  const next = (await isKeyFolder(folder)) ? `chmod 700 ${place}` : advise(place)
  requirePrivateMode(place, mode, { wanted: '700', next })
  requireOwner(place, uid)
}

/** What to do with a key that lies among other things: nobody is told to close /tmp to all others. */
export function adviseToMove(path: string): (folder: string) => string {
  return (folder) => {
    const own = join(folder, 'keys')
    return `Put the key into a folder of its own: mkdir -m 700 ${own}, then move ${basename(path)} there.`
  }
}

/** Nothing but keys is in it, and nobody works in it. */
async function isKeyFolder(folder: string): Promise<boolean> {
  if (resolve(folder) === process.cwd()) return false
  try {
    return (await readdir(folder)).every((name) => /\.(?:pem|pub|signer)$/.test(name))
  } catch {
    // What is wrong with it is said of its mode or its owner.
    return false
  }
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

function requirePrivateMode(
  path: string,
  mode: number,
  { wanted, next }: { readonly wanted: '600' | '700'; readonly next: string },
): void {
  if ((mode & 0o077) === 0) return
  const found = (mode & 0o777).toString(8).padStart(3, '0')
  throw new ConfigError('KEY_INVALID', `${path} can be read or changed by others (mode ${found})`, {
    expected: wanted,
    found,
    next,
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
