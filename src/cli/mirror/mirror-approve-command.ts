/** `tufgate mirror held|approve|reject`: what waits for a person, and what he decides. */

import { toPrintable } from '../../base/bytes.ts'
import { formatUtcSeconds } from '../../base/clock.ts'
import { ConfigError } from '../../base/errors.ts'
import { approveHeld, rejectHeld, type DecisionOptions } from '../../mirror/approve.ts'
import { changeKinds } from '../../mirror/change-kinds.ts'
import { describeChange } from '../../mirror/change-words.ts'
import { describeHeld, type HeldChange } from '../../mirror/hold.ts'
import {
  listHeld,
  readHeldProject,
  type Difference,
  type HeldProject,
} from '../../mirror/read-held.ts'
import { requireKinds } from './kind-flag.ts'
import { describeMember } from './member-words.ts'
import { createMirrorContext } from './mirror-context.ts'
import { createReport } from './mirror-report.ts'
import { requireProject } from '../project-flag.ts'
import { requireTime } from '../read-time.ts'
import { isHeard, paint, say, sayJson, warn } from '../terminal.ts'

export interface HeldFlags {
  readonly json?: boolean
}

export interface DecisionFlags extends HeldFlags {
  readonly all?: boolean
  readonly kind?: readonly string[]
  readonly asOf?: string
}

export async function runMirrorHeld(
  directory: string,
  project: string | undefined,
  flags: HeldFlags,
): Promise<number> {
  if (project !== undefined) return showOne(directory, requireProject(project), flags)
  let shown = 0
  let newest = 0
  await listHeld(directory, (held) => {
    shown += 1
    newest = Math.max(newest, held.since)
    if (flags.json === true) sayJson(held)
    else say(formatHeld(held))
    return isHeard()
  })
  if (flags.json === true) return 0
  say(shown === 0 ? 'Nothing waits for a person.' : describeChoices(directory, newest))
  return 0
}

/** `--as-of`: a sync that works meanwhile must not slip in something that was not looked at. */
function describeChoices(directory: string, newest: number): string {
  const asOf = new Date(newest).toISOString()
  return [
    '',
    `Look at one:   tufgate mirror held ${directory} PROJECT`,
    `Sign one:      tufgate mirror approve ${directory} PROJECT`,
    `Sign all this: tufgate mirror approve ${directory} --all --as-of ${asOf}`,
    `Refuse one:    tufgate mirror reject ${directory} PROJECT`,
  ].join('\n')
}

async function showOne(directory: string, project: string, flags: HeldFlags): Promise<number> {
  const held = await readHeldProject(directory, project)
  if (held === undefined) {
    throw new ConfigError('CONFIG_INVALID', `Nothing of ${project} waits for a person`, {
      next: `tufgate mirror held ${directory} shows what waits.`,
    })
  }
  if (flags.json === true) sayJson(held)
  else say(`${formatProject(held)}\n\n${describeChoice(directory, held)}`)
  return 0
}

/** With its digest: signed is this one, or none. */
function describeChoice(directory: string, { project, sha256 }: HeldChange): string {
  const exact = `${directory} ${project}@${sha256.slice(0, 12)}`
  return `Sign it:   tufgate mirror approve ${exact}\nRefuse it: tufgate mirror reject ${exact}`
}

function formatHeld({ project, since, changes, isRejected }: HeldChange): string {
  const state = isRejected ? ' (refused)' : ''
  return `${paint('yellow', project)}${state}, since ${formatUtcSeconds(since)}: ${describeHeld(changes)}`
}

const maxShown = 200

function formatProject(held: HeldProject): string {
  const { project, since, base, sha256, changes, differences, isRejected } = held
  return [
    `${project}, held since ${formatUtcSeconds(since)}${isRejected ? ', refused' : ''}`,
    `  signed     ${base ?? 'nothing yet'}`,
    `  would be   ${sha256}`,
    ...changes.map((change) => `  ${change.kind}: ${describeChange(change)}`),
    '',
    ...formatDifferences(differences),
  ].join('\n')
}

function formatDifferences(differences: readonly Difference[] | undefined): string[] {
  if (differences === undefined) {
    return [paint('red', 'One of the two records cannot be read: sync the project again.')]
  }
  const rest = differences.length - maxShown
  return [
    ...differences.slice(0, maxShown).map(formatDifference),
    ...(rest > 0 ? [`and ${rest} more: --json has all of them`] : []),
  ]
}

const signs = { added: '+', gone: '-', changed: '~' } as const

function formatDifference({ file, kind, members }: Difference): string {
  const name = file === undefined ? 'the project' : toPrintable(file)
  return [
    `${signs[kind]} ${name}`,
    ...members.map((member) => `    ${describeMember(member)}`),
  ].join('\n')
}

export async function runMirrorApprove(
  directory: string,
  projects: readonly string[],
  flags: DecisionFlags,
): Promise<number> {
  const { approved, skipped, published } = await approveHeld(
    buildDecision(directory, projects, flags),
  )
  if (flags.json === true) sayJson({ approved, skipped, published })
  else {
    for (const { project, problem } of skipped) warn(`${project}: not signed: ${problem}`)
    say(
      `${count(approved.length)} signed as looked at${published === undefined ? '' : ' and published'}`,
    )
  }
  return skipped.length === 0 ? 0 : 1
}

export async function runMirrorReject(
  directory: string,
  projects: readonly string[],
  flags: DecisionFlags,
): Promise<number> {
  const rejected = await rejectHeld(buildDecision(directory, projects, flags))
  if (flags.json === true) sayJson({ rejected })
  else
    say(
      `${count(rejected.length)} refused: what is signed stays until the index shows something else`,
    )
  return 0
}

function buildDecision(
  directory: string,
  projects: readonly string[],
  flags: DecisionFlags,
): DecisionOptions {
  const { all, kind, asOf } = flags
  if (projects.length > 0 && all === true) {
    throw new ConfigError('CONFIG_INVALID', 'Projects and --all were given together.', {
      next: 'Give one of both.',
    })
  }
  return {
    directory,
    ...createMirrorContext(createReport(flags).report),
    ...(projects.length > 0 && { projects }),
    ...(all !== undefined && { all }),
    ...(kind !== undefined && { kinds: requireKinds(kind, changeKinds) }),
    ...(asOf !== undefined && { asOf: requireTime(asOf, Date.now()) }),
  }
}

function count(amount: number): string {
  return `${amount} ${amount === 1 ? 'project' : 'projects'}`
}
