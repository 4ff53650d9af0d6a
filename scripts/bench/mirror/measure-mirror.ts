/**
 * One phase in the life of a mirror, in a process of its own, so that its peak of memory is its own:
 * the first signing, single changes, or many at once. Prints what it took.
 */

import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { chooseIndex, type ChosenIndex } from '../../../src/mirror/index-choice.ts'
import { initMirror } from '../../../src/mirror/init.ts'
import { openOnlineSigners, type OnlineSigners } from '../../../src/mirror/online-signers.ts'
import { openMirror, type Mirror, type MirrorContext } from '../../../src/mirror/open-mirror.ts'
import { syncOpened, type SyncRound } from '../../../src/mirror/sync.ts'
import { checkPublication } from '../../../src/watch/publication-check.ts'
import { readMemory } from '../usage.ts'
import { fillLedger, rememberAsChecked } from './fill-ledger.ts'
import { measureWork, type Cost } from './measured-work.ts'
import { listProjects, SyntheticIndex } from './synthetic-index.ts'

export type Phase = 'sign-all' | 'fill' | 'change-one' | 'change-many' | 'look-at-all'

export interface PhaseInput {
  readonly phase: Phase
  readonly folder: string
  readonly projects: number
  /** Of the projects that there are: those that change, in one go or one by one. */
  readonly changes: number
}

export interface PhaseReport {
  /** To open the mirror and its keys, in a process that has just started. */
  readonly opening: Cost
  /** One for each time; without what the index itself took. */
  readonly costs: readonly Cost[]
  /** Of the pages that were made. */
  readonly files: number
  readonly peakMb: number
  /** What was signed the last time, by the kind of its name. */
  readonly signed: readonly string[]
  readonly exitCode: number
}

type Done = Pick<PhaseReport, 'costs' | 'signed' | 'exitCode'>

const input = JSON.parse(process.argv[2] ?? '{}') as PhaseInput
const index = new SyntheticIndex(input.projects)
const directory = join(input.folder, 'mirror')
const context: MirrorContext = {
  clock: Date.now,
  // As the command line has it: nothing appears that clients would refuse.
  ...(input.phase !== 'fill' && { check: checkPublication }),
  report: (event) => {
    if (event.kind === 'progress' || event.kind === 'note' || event.kind === 'warning') return
    process.stderr.write(`${JSON.stringify(event).slice(0, 300)}\n`)
  },
}

interface Opened {
  readonly mirror: Mirror
  readonly signers: OnlineSigners
  readonly index: ChosenIndex
}

async function open(): Promise<Opened> {
  const mirror = await openMirror(directory, context)
  const signers = await openOnlineSigners(mirror)
  const chosen = await chooseIndex(mirror, { index: 'synthetic' }, openIndex)
  return { mirror, signers, index: chosen }
}

function openIndex(): Promise<SyntheticIndex> {
  return Promise.resolve(index)
}

/** Spread over all of them. */
function* chooseProjects(count: number): Generator<string> {
  const step = Math.max(1, Math.floor(input.projects / count))
  let at = 0
  for (const project of listProjects(input.projects)) {
    if (at % step === 0 && at / step < count) yield project
    at += 1
  }
}

function signAll(opened: Opened): Promise<Done> {
  return sync(opened, { all: true })
}

/** Every project is known and signed, but only those that change later have a record on disk. */
async function fill(opened: Opened): Promise<Done> {
  const chosen = new Set(chooseProjects(input.changes))
  const cost = await measureWork(() => {
    fillLedger(opened.mirror, input.projects, chosen)
    return Promise.resolve()
  })
  const { costs, ...rest } = await sync(opened, { projects: [...chosen] })
  await rememberAsChecked(opened.mirror)
  return { ...rest, costs: [cost, ...costs] }
}

async function changeOne(opened: Opened): Promise<Done> {
  const costs: Cost[] = []
  let last: Done = { costs, signed: [], exitCode: 0 }
  for (const project of chooseProjects(input.changes)) {
    index.addRelease(project)
    last = await sync(opened, { projects: [project] })
    costs.push(...last.costs)
  }
  return { ...last, costs }
}

function changeMany(opened: Opened): Promise<Done> {
  const chosen = [...chooseProjects(input.changes)]
  // Those that changed one by one have had a release already: each page must differ again.
  for (const project of chosen) for (let at = 0; at < 2; at += 1) index.addRelease(project)
  return sync(opened, { projects: chosen })
}

/** By the list of the index with its serials, on which one project has moved. */
async function lookAtAll(opened: Opened): Promise<Done> {
  const [project = ''] = chooseProjects(1)
  for (let at = 0; at < 3; at += 1) index.addRelease(project)
  return sync(opened, { all: true })
}

async function sync({ mirror, signers, index: chosen }: Opened, round: SyncRound): Promise<Done> {
  const before = await listMetadata()
  const indexMsBefore = index.spentMs
  let exitCode = 0
  const cost = await measureWork(async () => {
    ;({ exitCode } = await syncOpened(mirror, { signers, index: chosen }, round))
  })
  const own = { ...cost, cpuMs: cost.cpuMs - (index.spentMs - indexMsBefore) }
  return { costs: [own], signed: await listNew(before), exitCode }
}

async function listMetadata(): Promise<ReadonlySet<string>> {
  return new Set(await readdir(join(directory, 'public', 'metadata')))
}

async function listNew(before: ReadonlySet<string>): Promise<string[]> {
  const names = [...(await listMetadata())].filter((name) => !before.has(name))
  const kinds = names.map((name) => name.replace(/^\d+\./, '').replace(/-[0-9a-f]+\./, '-NN.'))
  return [...new Set(kinds.map((name) => name.replace(/\.json(\.gz)?$/, '')))].toSorted()
}

const phases = {
  'sign-all': signAll,
  fill,
  'change-one': changeOne,
  'change-many': changeMany,
  'look-at-all': lookAtAll,
} satisfies Record<Phase, (opened: Opened) => Promise<Done>>

if (input.phase === 'sign-all' || input.phase === 'fill') {
  await initMirror({ ...context, directory, projects: input.projects })
}
let opened: Opened | undefined
const opening = await measureWork(async () => {
  opened = await open()
})
if (opened === undefined) throw new Error('the mirror was not opened')
const done = await phases[input.phase](opened)
await opened.mirror.close()
const { peakMb } = readMemory(process.pid)
const report: PhaseReport = { ...done, opening, files: index.files, peakMb }
process.stdout.write(JSON.stringify(report))
