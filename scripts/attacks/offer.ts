/**
 * A file or page that the index offers after the mirror looked, and how much of it was taken: what
 * is too much to take is harm, even where nothing is installed. It shows that the attack was offered.
 */

import { readFileSync } from 'node:fs'
import type { Behaviour, HostileServer } from '../../test/support/hostile-server.ts'
import type { Attack, Observed, Scene } from './attack.ts'
import { buildReleases, stageIndexAttack, type IndexAttack } from './index-attack.ts'
import type { InstallOptions } from './install.ts'
import type { World } from './world.ts'

export interface Offer extends Omit<IndexAttack, 'look' | 'install'> {
  /** Of the project, or of its newest file. */
  readonly what: 'file' | 'page'
  readonly answer: (honest: Uint8Array, project: string) => Behaviour
  readonly install?: InstallOptions
  /** Whether the most memory that pip and the proxy ever had is told; much of it is harm. */
  readonly isMemoryTold?: true
}

/** Far above what any page or file here has. */
const maxTakenBytes = 16_000_000
/** What the system takes of an answer that nobody reads, on each connection. */
const heldBytes = 8_000_000
/** pip itself has 50. */
const maxMemoryMb = 300

interface Count {
  readonly requests: number
  readonly bytes: number
}

export function stageOffer({ what, answer, isMemoryTold, ...attack }: Offer): Attack {
  const before = new WeakMap<World, Count>()
  const peaks = new WeakMap<Scene, Peak>()
  const { project } = attack
  const newest = (attack.files?.(project) ?? buildReleases(project)).at(-1)
  const path = what === 'page' ? `/simple/${project}/` : `/files/${newest?.filename}`
  return stageIndexAttack({
    ...attack,
    ...(isMemoryTold === true && {
      install: (scene) => ({
        ...attack.install,
        onStart: (pid) => void peaks.set(scene, watchMemory(pid)),
      }),
    }),
    turn: (world, ...rest) => {
      const { index } = world.trial
      before.set(world, readCount(index, path))
      index.on(path, answer(newest?.bytes ?? new Uint8Array(0), project))
      attack.turn?.(world, ...rest)
    },
    look: (observed, scene) => {
      const taken = subtract(readCount(scene.world.trial.index, path), before.get(scene.world))
      if (taken.requests === 0 && isAskedFor(what, scene))
        throw new Error(`nobody asked for ${path}`)
      const seen = withTaken(observed, what, taken)
      return isMemoryTold === true ? withMemory(seen, scene, peaks.get(scene)) : seen
    },
  })
}

/** Behind the proxy a page comes from what was signed. */
function isAskedFor(what: Offer['what'], { world }: Scene): boolean {
  return what === 'file' || world.proxy === undefined
}

function readCount(index: HostileServer, path: string): Count {
  return { requests: index.count(path), bytes: index.sentBytes(path) }
}

function subtract({ requests, bytes }: Count, before: Count | undefined): Count {
  return { requests: requests - (before?.requests ?? 0), bytes: bytes - (before?.bytes ?? 0) }
}

function withTaken(observed: Observed, what: Offer['what'], { requests, bytes }: Count): Observed {
  const note =
    requests === 0
      ? `the ${what} was never asked for`
      : `the ${what} was asked for ${requests}x, ${renderBytes(bytes)} taken`
  const isTooMuch = bytes - requests * heldBytes > maxTakenBytes
  const tooMuch = isTooMuch ? `${renderBytes(bytes)} of a ${what} taken` : undefined
  return addTo(observed, [note], tooMuch)
}

function addTo(observed: Observed, notes: readonly string[], harm: string | undefined): Observed {
  const worst = observed.harm ?? harm
  return {
    ...observed,
    ...(worst !== undefined && { harm: worst }),
    notes: [...observed.notes, ...notes],
  }
}

export function renderBytes(bytes: number): string {
  if (bytes >= 1_000_000) return `${(bytes / 1_000_000).toFixed(1)} MB`
  return bytes >= 10_000 ? `${Math.round(bytes / 1000)} kB` : `${bytes} bytes`
}

interface Peak {
  kb: number
}

const memoryPollMs = 100

/** Until the process has ended: afterwards nobody knows. */
function watchMemory(pid: number): Peak {
  const peak = { kb: 0 }
  const timer = setInterval(() => {
    const kb = findPeakMemoryKb(pid)
    if (kb === undefined) clearInterval(timer)
    else peak.kb = kb
  }, memoryPollMs)
  timer.unref()
  return peak
}

function withMemory(observed: Observed, { world }: Scene, peak: Peak | undefined): Observed {
  const ofPip = toMb(peak?.kb)
  const pid = world.proxy?.process.pid
  const ofProxy = pid === undefined ? undefined : findPeakMemoryKb(pid)
  const notes = [
    ...(ofPip === 0 ? [] : [`pip had up to ${ofPip} MB`]),
    ...(ofProxy === undefined ? [] : [`the proxy never more than ${toMb(ofProxy)} MB`]),
  ]
  const isTooMuch = Math.max(ofPip, toMb(ofProxy)) > maxMemoryMb
  return addTo(
    observed,
    notes,
    isTooMuch ? `${Math.max(ofPip, toMb(ofProxy))} MB of memory` : undefined,
  )
}

function toMb(kb: number | undefined): number {
  return Math.ceil((kb ?? 0) / 1024)
}

/** Linux alone tells it. */
export function findPeakMemoryKb(pid: number): number | undefined {
  try {
    const [, peak] = /^VmHWM:\s*(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
    return peak === undefined ? undefined : Number(peak)
  } catch {
    return undefined
  }
}
