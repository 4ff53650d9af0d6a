/**
 * A file or page that the index offers after the mirror looked, and how much of it was taken: what
 * is too much to take is harm, even where nothing is installed. It shows that the attack was offered.
 */

import { readFileSync } from 'node:fs'
import type { TrialFile } from '../../test/e2e/trial.ts'
import type { Behaviour, HostileServer } from '../../test/support/hostile-server.ts'
import type { Attack, Observed, Scene } from './attack.ts'
import { stageIndexAttack, type IndexAttack } from './index-attack.ts'
import type { World } from './world.ts'

export interface Offer extends Omit<IndexAttack, 'turn' | 'look'> {
  /** Of the project, or of its newest file. */
  readonly what: 'file' | 'page'
  readonly answer: (honest: Uint8Array, project: string) => Behaviour
  /** Besides. */
  readonly turn?: IndexAttack['turn']
  /** Whether the most memory that the proxy ever had is told. */
  readonly isMemoryTold?: true
}

/** Far above what any page or file here has, and what the system keeps of a connection. */
const maxTakenBytes = 24_000_000

interface Count {
  readonly requests: number
  readonly bytes: number
}

export function stageOffer({ what, answer, isMemoryTold, ...attack }: Offer): Attack {
  const before = new WeakMap<World, Count>()
  const findPath = (project: string, files: readonly TrialFile[]): string =>
    what === 'page' ? `/simple/${project}/` : `/files/${files.at(-1)?.filename}`
  let path = ''
  return stageIndexAttack({
    ...attack,
    turn: (world, project, files) => {
      const { index } = world.trial
      path = findPath(project, files)
      before.set(world, readCount(index, path))
      index.on(path, answer(files.at(-1)?.bytes ?? new Uint8Array(0), project))
      attack.turn?.(world, project, files)
    },
    look: (observed, scene) => {
      const { requests, bytes } = readCount(scene.world.trial.index, path)
      const first = before.get(scene.world)
      const taken = {
        requests: requests - (first?.requests ?? 0),
        bytes: bytes - (first?.bytes ?? 0),
      }
      const more = isMemoryTold === true ? tellMemory(scene) : []
      return withTaken(observed, { what, taken, more })
    },
  })
}

function readCount(index: HostileServer, path: string): Count {
  return { requests: index.count(path), bytes: index.sentBytes(path) }
}

interface Taken {
  readonly what: Offer['what']
  readonly taken: Count
  readonly more: readonly string[]
}

function withTaken(observed: Observed, { what, taken, more }: Taken): Observed {
  const note =
    taken.requests === 0
      ? `the ${what} was never asked for`
      : `the ${what} was asked for ${taken.requests}x, ${renderBytes(taken.bytes)} taken`
  const tooMuch = `${renderBytes(taken.bytes)} of a ${what} taken`
  const harm = observed.harm ?? (taken.bytes > maxTakenBytes ? tooMuch : undefined)
  return {
    ...observed,
    ...(harm !== undefined && { harm }),
    notes: [...observed.notes, note, ...more],
  }
}

export function renderBytes(bytes: number): string {
  if (bytes >= 1_000_000) return `${(bytes / 1_000_000).toFixed(1)} MB`
  return bytes >= 10_000 ? `${Math.round(bytes / 1000)} kB` : `${bytes} bytes`
}

/** Linux alone tells it. */
function tellMemory({ world }: Scene): readonly string[] {
  const pid = world.proxy?.process.pid
  const peakKb = pid === undefined ? undefined : findPeakMemoryKb(pid)
  return peakKb === undefined
    ? []
    : [`the proxy never had more than ${Math.ceil(peakKb / 1024)} MB`]
}

export function findPeakMemoryKb(pid: number): number | undefined {
  try {
    const [, peak] = /^VmHWM:\s*(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
    return peak === undefined ? undefined : Number(peak)
  } catch {
    return undefined
  }
}
