/** A disk of a few megabytes that a test can fill: a real one where it may mount, else an imitation. */

import { spawnSync } from 'node:child_process'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

export interface SmallDisk {
  readonly folder: string
  /** `false`: the processes are only told so. */
  readonly isReal: boolean
  /** For processes that write to it. */
  readonly environment: Readonly<Record<string, string>>
  /** Leaves room for a log, not for a large file. */
  fill(): Promise<void>
  /** Leaves no room at all. */
  fillUp(): Promise<void>
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
      isReal: true,
      environment: {},
      fill: () => writeFile(filler, Buffer.alloc(fillerBytes)),
      // As far as it goes.
      fillUp: () => writeFile(filler, Buffer.alloc(diskBytes)).catch(() => undefined),
      free: () => rm(filler),
      remove: async () => unmount(folder),
    }
  }
  const flag = `${folder}.full`
  return {
    folder,
    isReal: false,
    environment: { NODE_OPTIONS: `--import=${preload}`, TUFGATE_TEST_FULL: flag },
    fill: () => writeFile(flag, ''),
    fillUp: () => writeFile(flag, 'all'),
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
