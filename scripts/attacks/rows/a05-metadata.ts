/** A5, of the list: each of its files without end, in the place of the honest one. */

import {
  endless,
  endlessHeaders,
  gzipBomb,
  type Behaviour,
} from '../../../test/support/hostile-server.ts'
import type { Attack, Observed } from '../attack.ts'
import { inMirrorWorld, type HostileMirror } from '../hostile-mirror.ts'
import { require, requireCode } from '../judge.ts'
import { askPage, lieAboutEach, listServed, type Tried } from '../list-parts.ts'
import { findPeakMemoryKb, renderBytes } from '../offer.ts'

/** What the largest limit of a part lets through here, and what the system keeps of connections. */
const maxTakenBytes = 24_000_000
/** Node.js itself has 90 MB. */
const maxPeakKb = 300_000
const bombBytes = 100_000_000

async function offerEach(mirror: HostileMirror, behaviour: Behaviour): Promise<Observed> {
  const tried = await lieAboutEach(mirror, behaviour)
  const healed = await askPage(mirror)
  const peakKb = findPeakMemoryKb(mirror.world.proxy?.process.pid ?? 0) ?? 0
  const harm = findHarm(tried, peakKb)
  const notes = tried.map(
    ({ part, status, bytes }) => `${part}: ${status}, ${renderBytes(bytes)} taken`,
  )
  const memory = `the proxy never had more than ${Math.ceil(peakKb / 1024)} MB`
  return mirror.addCodes({
    ...(harm !== undefined && { harm }),
    happened: `${tried.length} parts refused; the page afterwards: ${healed.status}`,
    exitCode: null,
    line: '',
    codes: [],
    notes: [...notes, memory],
  })
}

function findHarm(tried: readonly Tried[], peakKb: number): string | undefined {
  const served = listServed(tried)
  if (served.length > 0) return `not refused: ${served.join(', ')}`
  const most = Math.max(...tried.map(({ bytes }) => bytes))
  if (most > maxTakenBytes) return `${renderBytes(most)} of one part taken`
  return peakKb > maxPeakKb ? `${Math.round(peakKb / 1024)} MB of memory` : undefined
}

interface Endless {
  readonly name: string
  readonly isCore?: true
  readonly build: () => Behaviour
  readonly code: string
}

function stageEndless({ name, isCore, build, code }: Endless): Attack {
  return {
    row: 'A5',
    name,
    ...(isCore && { isCore }),
    pips: 'machine',
    alone: 'pip knows no signed list: its endless page is a row above',
    behind: () => inMirrorWorld((mirror) => offerEach(mirror, build())),
    judge: (observed) => [
      ...require(observed.happened.endsWith(': 200'), observed.happened),
      ...requireCode(observed, code),
    ],
  }
}

export const endlessLists: readonly Attack[] = [
  stageEndless({
    name: 'each part of the signed list without end',
    isCore: true,
    build: () => endless(),
    code: 'TOO_LARGE',
  }),
  stageEndless({
    name: 'headers without end, for each part of the signed list',
    build: endlessHeaders,
    code: 'BAD_STATUS',
  }),
  stageEndless({
    name: 'each part of the signed list as 100 kB that unpack to 100 MB',
    build: () => gzipBomb(bombBytes),
    code: 'TOO_LARGE',
  }),
]
