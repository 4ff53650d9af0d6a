/** Processor time and memory of another process, as the kernel counts them. */

import { readFileSync } from 'node:fs'

/** `USER_HZ`: the same on every Linux that Node.js runs on. */
const ticksPerSecond = 100

/** User and system time so far, in seconds; in steps of 10 ms. */
export function readCpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  // The name of the program stands in brackets and may hold anything.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond
}

export interface Memory {
  /** The most that was resident at any time, in MB (1,000,000 bytes). */
  readonly peakMb: number
  /** Of what is resident now: heap, stacks and buffers. */
  readonly anonymousMb: number
  /** Of what is resident now: the program's own code, shared with every other Node.js. */
  readonly fileMb: number
}

export function readMemory(pid: number): Memory {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const read = (name: string): number =>
    (Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) * 1024) / 1e6
  return { peakMb: read('VmHWM'), anonymousMb: read('RssAnon'), fileMb: read('RssFile') }
}
