/** A disk of a few megabytes that a test can fill: a real one where it may mount, else an imitation. */

import { spawnSync } from 'node:child_process'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

export interface SmallDisk {
  readonly folder: string
  /** For processes that write to it. */
  readonly environment: Readonly<Record<string, string>>
  /** Leaves room for a log, not for a large file. */
  fill(): Promise<void>
  free(): Promise<void>
  remove(): Promise<void>
}

const diskBytes = 8_000_000
const fillerBytes = 6_000_000
const preload = pathToFileURL(join(import.meta.dirname, 'full-disk.ts')).href

export async function createSmallDisk(folder: string): Promise<SmallDisk> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const filler = join(folder, 'filler')
  if (mount('-t', 'tmpfs', '-o', `size=${diskBytes},mode=0700`, 'tufgate-test', folder)) {
    return {
      folder,
      environment: {},
      fill: () => writeFile(filler, Buffer.alloc(fillerBytes)),
      free: () => rm(filler),
      remove: async () => unmount(folder),
    }
  }
  const flag = `${folder}.full`
  return {
    folder,
    environment: { NODE_OPTIONS: `--import=${preload}`, TUFGATE_TEST_FULL: flag },
    fill: () => writeFile(flag, ''),
    free: () => rm(flag),
    remove: async () => undefined,
  }
}

/** Mounts the folder onto itself, read-only. `false` where this process may not mount. */
export function mountReadOnly(folder: string): boolean {
  if (!mount('--bind', folder, folder)) return false
  if (mount('-o', 'remount,ro,bind', folder)) return true
  unmount(folder)
  return false
}

export function unmount(folder: string): void {
  spawnSync('umount', ['--lazy', folder])
}

function mount(...args: readonly string[]): boolean {
  return spawnSync('mount', args).status === 0
}
