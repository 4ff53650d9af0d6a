/** What becomes of files on a disk that is not well, and which files of the state a person has to mend. */

import { readdir } from 'node:fs/promises'
import { basename, join, relative } from 'node:path'
import type { Random } from './random.ts'

export type Damage = (bytes: Buffer) => Buffer

export function createDamages(random: Random): readonly (readonly [string, Damage])[] {
  return [
    ['changed bytes', (bytes) => changeBytes(bytes, random, 3)],
    ['its end cut off', (bytes) => bytes.subarray(0, Math.floor(random() * bytes.length))],
    ['nothing in it', () => Buffer.alloc(0)],
  ]
}

export function changeBytes(bytes: Buffer, random: Random, count: number): Buffer {
  const changed = Buffer.from(bytes)
  for (let done = 0; done < count; done += 1) {
    const at = Math.floor(random() * bytes.length)
    changed[at] = (changed[at] ?? 0) ^ (1 + Math.floor(random() * 255))
  }
  return changed
}

/** These say which root and which format the folder is of: nobody but a person may guess. */
export function isForPerson(path: string): boolean {
  return basename(path) === 'state.json' || path.startsWith('pins/')
}

/** Relative to the folder, sorted. */
export async function listFiles(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .toSorted()
}
