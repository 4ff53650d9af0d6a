/**
 * One row on the wire: what a client sends to the one proxy, and what came of it. Harm is a
 * byte that was not verified, beyond those that keep a client waiting, or a proxy that is not well after it.
 */

import type { AuditEntry } from '../../../src/audit/reader.ts'
import type { Attack, Observed } from '../attack.ts'
import { require } from '../judge.ts'
import { maxUnverifiedBytes } from '../world.ts'
import { buildProject, openAlone, SharedProxy, type Bench, type Project } from './bench.ts'
import { Wiretap, type Heard } from './wiretap.ts'

export interface WireRow extends Pick<Attack, 'row' | 'name' | 'isCore'> {
  /** Honest when they were signed, evil since. */
  readonly files: number
  /** Of the first one, where it is not as long as the others. */
  readonly firstBytes?: number
  /** Its record names the server `inner`, which the settings of the proxy do not. */
  readonly isElsewhere?: true
  /** What else it measured. */
  readonly send: (bench: Bench, tap: Wiretap) => Promise<readonly string[] | void>
  /** In place of the same, sent to the hostile host itself. */
  readonly alone?: Attack['alone']
  readonly expected: Expected
}

export interface Expected {
  /** `9 x 403, 2 x 404`. */
  readonly answers: string
  /** Requests that reached the file host. */
  readonly asked: number
  /** In the audit log, of its project: what has none is counted only, once there is much of it. */
  readonly codes: readonly string[]
  /** Whole. */
  readonly notes?: readonly string[]
}

/** As the rows of one table, which have one proxy. */
export function stageWireRows(rows: readonly WireRow[]): readonly Attack[] {
  const projects = rows.map((row) => ({
    ...buildProject(nameOf(row.row), row.files, row.firstBytes),
    isElsewhere: row.isElsewhere === true,
  }))
  let started: Promise<SharedProxy> | undefined
  const start = (): Promise<SharedProxy> => (started ??= SharedProxy.start(projects))
  const finish = async (): Promise<void> => {
    const ending = started?.catch(() => undefined)
    started = undefined
    await (await ending)?.close()
  }
  return rows.map((row, at) => ({
    row: row.row,
    name: row.name,
    ...(row.isCore && { isCore: row.isCore }),
    isInTurn: true,
    pips: 'machine',
    alone:
      row.alone ??
      (() => runAlone(row, projects[at] ?? { name: '', files: [], isElsewhere: false })),
    behind: async () => runBehind(row, await start()),
    judge: (observed) => judge(row.expected, observed),
    finish,
  }))
}

function nameOf(row: string): string {
  return `wire-${row.toLowerCase()}`
}

async function runAlone(row: WireRow, project: Project): Promise<Observed> {
  const bench = await openAlone(project)
  const tap = new Wiretap(bench.port)
  try {
    await row.send(bench, tap)
    const heard = tap.tell()
    const evil = `${heard.longest} EVIL bytes of a file`
    return {
      ...(heard.longest > 0 && { harm: evil }),
      happened: heard.longest > 0 ? evil : 'nothing of a file',
      exitCode: null,
      line: '',
      codes: [],
      notes: [tellAnswers(heard)],
    }
  } finally {
    tap.close()
    await bench.close()
  }
}

async function runBehind(row: WireRow, proxy: SharedProxy): Promise<Observed> {
  const bench = proxy.bench(nameOf(row.row))
  const tap = new Wiretap(bench.port)
  try {
    const notes = await row.send(bench, tap)
    tap.close()
    const heard = tap.tell()
    const damage = await proxy.findDamage()
    const harm = findHarm(heard, damage)
    return {
      ...(harm !== undefined && { harm }),
      happened: tellLeak(heard),
      exitCode: null,
      line: heard.line,
      codes: listCodes(await proxy.readLog(bench.project.name)),
      notes: [tellAnswers(heard), tellAsked(bench.countAsked()), ...(notes ?? [])],
    }
  } finally {
    tap.close()
  }
}

function findHarm({ longest, later }: Heard, damage: readonly string[]): string | undefined {
  if (longest > maxUnverifiedBytes) return `${longest} unverified bytes left`
  if (later > 0) return 'unverified bytes left that are not the first of a file'
  return damage.length === 0 ? undefined : `afterwards: ${damage.join('; ')}`
}

function tellLeak({ longest }: Heard): string {
  if (longest === 0) return 'no unverified byte left'
  return `at most the same first ${longest === 1 ? 'byte' : `${longest} bytes`} left`
}

function tellAnswers({ answers, connections }: Heard): string {
  return `${connections} connections: ${answers === '' ? 'no answer' : answers}`
}

function tellAsked(count: number): string {
  return `the file host was asked ${tellTimes(count)}`
}

export function tellTimes(count: number): string {
  return count === 1 ? 'once' : `${count} times`
}

function listCodes(entries: readonly AuditEntry[]): readonly string[] {
  const codes = entries.filter(({ kind }) => kind !== 'page').map(({ code }) => code)
  return [...new Set(codes.filter((code) => code !== undefined))]
}

function judge(
  { answers, asked, codes, notes = [] }: Expected,
  observed: Observed,
): readonly string[] {
  const [heard = '', toldAsked = '', ...others] = observed.notes
  return [
    ...require(heard.endsWith(
      `: ${answers === '' ? 'no answer' : answers}`,
    ), `${heard}; not ${answers}`),
    ...require(toldAsked === tellAsked(asked), `${toldAsked}, not ${tellTimes(asked)}`),
    ...require(isTold(
      observed.codes,
      codes,
    ), `the audit log has ${observed.codes.join(', ') || 'no code'}, not ${codes.join(', ')}`),
    ...notes.flatMap((note) =>
      require(others.includes(note), `"${others.join('; ')}" is not "${note}"`),
    ),
  ]
}

/** A busy machine may add that something took long. */
function isTold(found: readonly string[], wanted: readonly string[]): boolean {
  return wanted.every((code) => found.includes(code)) && !found.includes('BUG')
}
