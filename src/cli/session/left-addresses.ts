/** Files of a project in which a command has left the address of its proxy, which ends with it. They are only read. */

import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { findLockFormat } from '../../installers/rewrite-lock.ts'

export interface LeftAddress {
  readonly name: string
  /** Whether `lock rewrite` knows the form. */
  readonly isLock: boolean
}

const manifests = ['Pipfile', 'pyproject.toml']
const maxFileBytes = 64 * 1024 ** 2
const maxFiles = 200

/** @param token stands in the address, and nowhere else in the world */
export function findLeftAddresses(folder: string, token: string): LeftAddress[] {
  return listNames(folder)
    .map((name) => ({ name, isLock: findLockFormat(name) !== undefined }))
    .filter(({ name, isLock }) => isLock || manifests.includes(name))
    .slice(0, maxFiles)
    .filter(({ name }) => holds(join(folder, name), token))
}

function listNames(folder: string): string[] {
  try {
    return readdirSync(folder).toSorted()
  } catch {
    // The command may have taken it away.
    return []
  }
}

function holds(path: string, token: string): boolean {
  try {
    const stats = statSync(path)
    return stats.isFile() && stats.size <= maxFileBytes && readFileSync(path).includes(token)
  } catch {
    return false
  }
}
