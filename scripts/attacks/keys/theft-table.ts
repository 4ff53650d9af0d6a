/**
 * The table of stolen keys in SECURITY.md, made of what `mirror audit-keys` computes for a mirror as
 * `init` makes it, with one project whose claim is promoted. Decides nothing: src/mirror/theft-matrix.ts does.
 */

import { readMirrorShape } from '../../../src/mirror/audit-keys.ts'
import { changeShape } from '../../../src/mirror/shape.ts'
import type { Freeze, MirrorShape, Scope, Verdict } from '../../../src/mirror/theft-matrix.ts'
import { listThefts } from '../../../src/mirror/theft-rows.ts'
import { ClaimedMirror } from '../../../test/mirror/claim-fixture.ts'
import { dayMs } from '../../../test/mirror/mirror-fixture.ts'

export const tableBegin = '<!-- stolen keys: begin -->'
export const tableEnd = '<!-- stolen keys: end -->'

interface Line {
  readonly stolen: string
  /** What stands beside it. */
  readonly cells: string
}

/** The text between the two marks. */
export async function buildTheftTable(): Promise<string> {
  const claimed = await ClaimedMirror.create()
  try {
    await claimed.claimWhole()
    await claimed.promote()
    const { mirror } = claimed
    const usual = renderLines(await readMirrorShape(mirror.directory), mirror.now)
    await changeShape(mirror.context, { snapshotHashes: 'off' })
    const loose = renderLines(await readMirrorShape(mirror.directory), mirror.now)
    const known = new Set(usual.map(({ stolen, cells }) => `${stolen} ${cells}`))
    const others = loose.filter(({ stolen, cells }) => !known.has(`${stolen} ${cells}`))
    return [
      '',
      ...renderTable(usual),
      '',
      'Above 512 bins, or with `shape --snapshot-hashes off`, snapshot lists versions only, to stay small. Then these are worth more:',
      '',
      ...renderTable(others),
      '',
    ].join('\n')
  } finally {
    await claimed.remove()
  }
}

function renderLines(shape: MirrorShape, now: number): Line[] {
  return listThefts(shape).map(({ stolen, withPath }) => ({
    stolen: stolen.replaceAll(', ', ' + '),
    cells: renderVerdict(withPath, now),
  }))
}

function renderVerdict({ malicious, maliciousForNew, ...verdict }: Verdict, now: number): string {
  const mixed = { no: 'no', within: 'in those projects', yes: 'yes' }[verdict.inconsistency]
  const scopes = [malicious, maliciousForNew].map(renderScope)
  return [...scopes, renderFreeze(verdict.freeze, now), mixed].join(' | ')
}

function renderScope(scope: Scope): string {
  switch (scope) {
    case 'nothing':
      return 'no'
    case 'one':
      return '**yes**, of this project'
    case 'unclaimed':
      return '**yes**, of projects that nobody has claimed'
    case 'not-claimed':
      return '**yes**, of projects without a promoted claim'
    case 'everything':
      return '**yes**, of every project'
    default:
      return scope satisfies never
  }
}

function renderFreeze({ until, needsNoKey }: Freeze, now: number): string {
  if (until === undefined) return 'for ever'
  const days = Math.round((until - now) / dayMs)
  const text = `${days} ${days === 1 ? 'day' : 'days'}`
  return needsNoKey ? `${text}, as without a key` : text
}

/** Keys that are worth the same share a line. */
function renderTable(lines: readonly Line[]): string[] {
  const byCells = new Map<string, string[]>()
  for (const { stolen, cells } of lines) byCells.set(cells, [...(byCells.get(cells) ?? []), stolen])
  return [
    '| stolen | wrong files, for clients that have been here | wrong files, for a new client | kept on an old list for at most | old and new mixed |',
    '|---|---|---|---|---|',
    ...Array.from(byCells, ([cells, stolen]) => `| ${stolen.join('; ')} | ${cells} |`),
  ]
}
