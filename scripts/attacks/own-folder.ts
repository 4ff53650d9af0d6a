/**
 * One folder for all that a run makes. However the run ends, its processes end first, with those that
 * they started; then nothing is left of it: no mount, no file.
 */

import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { constants, tmpdir } from 'node:os'
import { join } from 'node:path'

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** Temporary folders of this process and its children are made in it from now on. */
export function openOwnFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'tufgate-attacks-'))
  process.env['TMPDIR'] = folder
  for (const signal of signals)
    process.once(signal, () => endRun(folder, 128 + constants.signals[signal]))
  return folder
}

/** Whatever still runs is of no use any more: the process ends here. */
export function endRun(folder: string, exitCode: number): never {
  // Registered last, it is called last: after all that kill processes.
  process.on('exit', () => removeFolder(folder))
  for (const id of findDescendants()) kill(id)
  process.exit(exitCode)
}

function removeFolder(folder: string): void {
  for (const place of findMounts(folder)) spawnSync('umount', ['--lazy', place])
  // A process that was killed may still be writing for a moment.
  rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 })
}

/** The inner ones first. */
function findMounts(folder: string): string[] {
  try {
    const lines = readFileSync('/proc/self/mounts', 'utf8').split('\n')
    const places = lines.map((line) => line.split(' ')[1] ?? '')
    return places.filter((place) => place.startsWith(`${folder}/`)).toReversed()
  } catch {
    // No such file where this system has no mounts of its own for us either.
    return []
  }
}

/** Children, and theirs: what a pip that is killed has started goes on otherwise. */
function findDescendants(): number[] {
  const parents = readParents()
  const found = new Set([process.pid])
  for (let before = 0; before !== found.size;) {
    before = found.size
    for (const [id, parent] of parents) if (found.has(parent)) found.add(id)
  }
  found.delete(process.pid)
  return [...found]
}

/** Of each process the one that started it. */
function readParents(): [number, number][] {
  try {
    const ids = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
    return ids.flatMap((id) => {
      const parent = findParent(id)
      return parent === undefined ? [] : [[Number(id), parent]]
    })
  } catch {
    return []
  }
}

function findParent(id: string): number | undefined {
  try {
    const stat = readFileSync(`/proc/${id}/stat`, 'utf8')
    // The name of the program stands in brackets and may have any character.
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])
  } catch {
    // It has ended meanwhile.
    return undefined
  }
}

function kill(id: number): void {
  try {
    process.kill(id, 'SIGKILL')
  } catch {
    // It has ended meanwhile.
  }
}
