/**
 * Which process made a file, and whether that process still lives.
 *
 * A process number alone is used again, soonest in a container, where every run has number 1: the
 * start time tells the two apart. Processes of another container or boot cannot be asked about.
 */

import { readFileSync, readlinkSync } from 'node:fs'
import { findErrno } from './storage-error.ts'

export interface ProcessOwner {
  /** Of letters, digits and full stops: process number, start, and where the number is valid. */
  readonly id: string
  /** Unknown counts as alive. */
  readonly isAlive: (id: string) => boolean
}

/** `elsewhere`: in another container, or on another machine. `before`: this machine was started since. */
export type ProcessState = 'alive' | 'dead' | 'elsewhere' | 'before'

interface OwnerId {
  readonly pid: number
  readonly start: string
  readonly place: string
}

export function currentOwner(): ProcessOwner {
  const place = findPlace()
  const start = findStart(process.pid) ?? '0'
  return {
    id: `${process.pid}.${start}.${place}`,
    isAlive: (id) => isAlive(parseOwnerId(id), place),
  }
}

/** Of the process that made this id, as `currentOwner` gave it; only `alive` and `dead` have a `pid` of here. */
export function findProcess(id: string): { readonly pid: number; readonly state: ProcessState } {
  const place = findPlace()
  const owner = parseOwnerId(id)
  if (owner === undefined) return { pid: 0, state: 'elsewhere' }
  const { pid } = owner
  if (owner.place === place) return { pid, state: isAlive(owner, place) ? 'alive' : 'dead' }
  return { pid, state: bootOf(owner.place) === bootOf(place) ? 'elsewhere' : 'before' }
}

function bootOf(place: string): string {
  return place.slice(place.indexOf('b'))
}

function parseOwnerId(id: string): OwnerId | undefined {
  const [, pid, start, place] = /^([1-9]\d{0,9})\.(\d+)\.([0-9a-z]+)$/.exec(id) ?? []
  if (pid === undefined || start === undefined || place === undefined) return undefined
  return { pid: Number(pid), start, place }
}

function isAlive(owner: OwnerId | undefined, place: string): boolean {
  if (owner === undefined || owner.place !== place) return true
  const start = findStart(owner.pid)
  if (start !== undefined) return start === owner.start
  return !isProcStable() && isSignalled(owner.pid)
}

/** Where there is no /proc, only the number can be asked about. */
function isSignalled(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return findErrno(error) === 'EPERM'
  }
}

function isProcStable(): boolean {
  return findStart(process.pid) !== undefined
}

/**
 * Field 22 of /proc/<pid>/stat: clock ticks since the boot. The name before it may hold anything.
 * A process that has ended and that nobody waited for has none: in a container it may stay for ever.
 */
function findStart(pid: number): string | undefined {
  const stat = findContent(() => readFileSync(`/proc/${pid}/stat`, 'latin1'))
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ')
  return fields?.[0] === 'Z' || fields?.[0] === 'X' ? undefined : fields?.[19]
}

/** Process numbers mean something within one boot and one process namespace. */
function findPlace(): string {
  const namespace = findContent(() => readlinkSync('/proc/self/ns/pid')) ?? ''
  const boot = findContent(() => readFileSync('/proc/sys/kernel/random/boot_id', 'latin1')) ?? ''
  return `n${namespace.replaceAll(/\D/g, '')}b${boot.slice(0, 8).replaceAll(/[^0-9a-f]/g, '')}`
}

function findContent(read: () => string): string | undefined {
  try {
    return read()
  } catch {
    // No /proc here, or no such process: both are answers.
    return undefined
  }
}
