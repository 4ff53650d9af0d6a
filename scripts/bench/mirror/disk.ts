/** What lies on disk, and what would still fit. */

import { spawnSync } from 'node:child_process'
import { statfs } from 'node:fs/promises'

export interface DiskUse {
  /** Of all names, folders among them. */
  readonly names: number
  /** Names that are the second one of a file are not counted here. */
  readonly inodes: number
  /** As they take up blocks. */
  readonly bytes: number
}

export function measureDisk(folder: string): DiskUse {
  return {
    names: askDu(folder, '--inodes', '--count-links'),
    inodes: askDu(folder, '--inodes'),
    bytes: askDu(folder, '--block-size=1'),
  }
}

function askDu(folder: string, ...options: readonly string[]): number {
  const { stdout, error } = spawnSync('du', ['--summarize', ...options, folder], {
    encoding: 'utf8',
  })
  if (error !== undefined) throw error
  return Number(stdout.split('\t')[0])
}

export interface FreeSpace {
  readonly bytes: number
  readonly inodes: number
}

export async function readFreeSpace(folder: string): Promise<FreeSpace> {
  const { bavail, bsize, ffree } = await statfs(folder)
  return { bytes: bavail * bsize, inodes: ffree }
}

/** A project takes a folder, and its record and HTML page, each with a twin in gzip. */
export const inodesOfProject = 5
/** As measured; with 27 files each on average. */
export const bytesOfProject = 56_000
/** A mirror must not be what fills the disk. */
const usableShare = 0.8

/** How many projects fit with all their records. */
export function countFitting({ bytes, inodes }: FreeSpace): number {
  const fitting = Math.min(bytes / bytesOfProject, inodes / inodesOfProject)
  return Math.floor(fitting * usableShare)
}
