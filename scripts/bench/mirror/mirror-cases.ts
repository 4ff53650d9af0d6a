/** The life of a mirror of a synthetic index, phase by phase, and what it left on the disk. */

import { runScript } from '../child.ts'
import type { CaseResult, Row, Target } from '../result.ts'
import { medianOf } from '../statistics.ts'
import { measureDisk, type DiskUse } from './disk.ts'
import type { Phase, PhaseInput, PhaseReport } from './measure-mirror.ts'
import type { Cost } from './measured-work.ts'

export interface Plan {
  readonly folder: string
  readonly projects: number
  /** `changed`: records of the others are not written, only remembered and signed. */
  readonly records: 'all' | 'changed'
  /** How often one project changes. */
  readonly times: number
  /** How many change in one go. */
  readonly changes: number
  readonly say: (step: string) => void
}

export interface MirrorCase {
  readonly name: string
  readonly title: string
  run(plan: Plan): Promise<CaseResult>
}

const GB = 1_000_000_000
const wantedCpuMs = 50
const wantedPeakMb = 1000

async function runPhase(plan: Plan, phase: Phase, changes: number): Promise<PhaseReport> {
  const { folder, projects, say } = plan
  say(`${phase}, ${projects} projects`)
  const input: PhaseInput = { phase, folder, projects, changes }
  const report = await runScript<PhaseReport>('mirror/measure-mirror.ts', input)
  if (report.exitCode !== 0) throw new Error(`${phase} ended with ${report.exitCode}`)
  return report
}

export const firstSigningCase: MirrorCase = {
  name: 'first-signing',
  title: 'a new mirror signs everything for the first time',
  run: async (plan) => (plan.records === 'all' ? signAll(plan) : fill(plan)),
}

async function signAll(plan: Plan): Promise<CaseResult> {
  const report = await runPhase(plan, 'sign-all', 0)
  const [cost] = report.costs
  plan.say('counting what lies on the disk')
  const disk = measureDisk(plan.folder)
  return describeFirst(plan, report, {
    cost,
    disk,
    notes: ['every record is fetched, merged, rendered, read again, written and made durable'],
  })
}

async function fill(plan: Plan): Promise<CaseResult> {
  const report = await runPhase(plan, 'fill', plan.changes)
  const [cost, signing] = report.costs
  plan.say('counting what lies on the disk')
  const disk = measureDisk(plan.folder)
  const signed = `${((signing?.cpuMs ?? 0) / 1000).toFixed(1)} CPU s`
  return describeFirst(plan, report, {
    cost,
    disk,
    notes: [
      `LEFT OUT: the records of all but ${plan.changes} projects; their pages, names and digests are in mirror.db and in the signed bins, so that changes cost what they cost in the whole tree`,
      `the first signing of all bins, with ${plan.changes} records, took ${signed} on top`,
    ],
  })
}

interface First {
  readonly cost: Cost | undefined
  readonly disk: DiskUse
  readonly notes: readonly string[]
}

function describeFirst(
  { projects, records, changes }: Plan,
  { files, peakMb }: PhaseReport,
  { cost, disk, notes }: First,
): CaseResult {
  const { cpuMs = 0, wallMs = 0, writtenBytes = 0 } = cost ?? {}
  const values = {
    CPU: [cpuMs / 1000],
    'each project': [cpuMs / projects],
    'a CPU second': [(1000 * projects) / cpuMs],
    wall: [wallMs / 1000],
    written: [writtenBytes / GB],
    'peak memory': [peakMb],
    'on disk': [disk.bytes / GB],
    names: [disk.names],
    inodes: [disk.inodes],
  }
  const pages = records === 'all' ? `, ${files.toLocaleString('en')} files` : ''
  const label = `${projects.toLocaleString('en')} projects${pages}`
  return {
    columns: [
      { name: 'CPU', unit: 's' },
      { name: 'each project', unit: 'CPU ms' },
      { name: 'a CPU second', unit: 'projects' },
      { name: 'wall', unit: 's' },
      { name: 'written', unit: 'GB' },
      { name: 'peak memory', unit: 'MB' },
      { name: 'on disk', unit: 'GB' },
      { name: 'names', unit: 'files and folders' },
      { name: 'inodes', unit: 'of them' },
    ],
    rows: [{ label, values }],
    targets: [limitPeak(peakMb)],
    notes: [
      ...notes,
      `index.json and <sha256>.index.json are one file with two names: ${(disk.names - disk.inodes).toLocaleString('en')} names cost nothing`,
      ...(records === 'all' ? [] : [`files of the ${changes} projects with records: ${files}`]),
    ],
  }
}

const costColumns = [
  { name: 'CPU', unit: 'ms' },
  { name: 'each', unit: 'CPU ms' },
  { name: 'wall', unit: 'ms' },
  { name: 'written', unit: 'kB' },
  { name: 'peak memory', unit: 'MB' },
] as const

export const changesCase: MirrorCase = {
  name: 'changes',
  title: 'from a change of the index to the published timestamp, in a process that keeps running',
  run: async (plan) => {
    const one = await runPhase(plan, 'change-one', plan.times)
    const many = await runPhase(plan, 'change-many', plan.changes)
    const all = await runPhase(plan, 'look-at-all', 1)
    const first = { ...one, costs: [sumCosts(one.opening, one.costs[0])] }
    const later = { ...one, costs: one.costs.slice(1) }
    return {
      columns: costColumns,
      rows: [
        describeCosts('one project', later, 1),
        describeCosts('one project, and the start of the process', first, 1),
        describeCosts(`${plan.changes} projects in one go`, many, plan.changes),
        describeCosts('one project, found by the serials of the whole list', all, 1),
      ],
      targets: [
        {
          what: 'one changed project',
          wanted: wantedCpuMs,
          found: medianOf(later.costs.map(({ cpuMs }) => cpuMs)),
          unit: 'CPU ms',
          rule: 'at most',
        },
        {
          what: 'roles that are signed for it, besides timestamp (bins-NN and snapshot)',
          wanted: 2,
          found: one.signed.length,
          unit: `(${one.signed.join(', ')})`,
          rule: 'exactly',
        },
        limitPeak(Math.max(one.peakMb, many.peakMb, all.peakMb)),
      ],
      notes: ['written: all that the process wrote, SQLite and twins included'],
    }
  },
}

function sumCosts(one: Cost, other: Cost | undefined): Cost {
  return {
    cpuMs: one.cpuMs + (other?.cpuMs ?? 0),
    wallMs: one.wallMs + (other?.wallMs ?? 0),
    writtenBytes: one.writtenBytes + (other?.writtenBytes ?? 0),
  }
}

function describeCosts(label: string, { costs, peakMb }: PhaseReport, projects: number): Row {
  return {
    label,
    values: {
      CPU: costs.map(({ cpuMs }) => cpuMs),
      each: projects === 1 ? [] : costs.map(({ cpuMs }) => cpuMs / projects),
      wall: costs.map(({ wallMs }) => wallMs),
      written: costs.map(({ writtenBytes }) => writtenBytes / 1000),
      'peak memory': [peakMb],
    },
  }
}

function limitPeak(peakMb: number): Target {
  return {
    what: 'peak memory',
    wanted: wantedPeakMb,
    found: peakMb,
    unit: 'MB',
    rule: 'at most',
  }
}
