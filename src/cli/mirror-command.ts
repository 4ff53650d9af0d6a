/** `tufgate mirror init|sync|renew|status`: flags in, plain sentences or JSON out. */

import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { formatSpan, formatUtcSeconds } from '../base/clock.ts'
import { toPrintable } from '../base/bytes.ts'
import { ConfigError } from '../base/errors.ts'
import { initMirror } from '../mirror/init.ts'
import { renewMirror } from '../mirror/renew.ts'
import type { MirrorEvent, Report } from '../mirror/report.ts'
import { mirrorStatus, type MirrorStatus } from '../mirror/status.ts'
import { syncMirror, type SyncResult } from '../mirror/sync.ts'
import type { KeyKind } from '../signing/key-file.ts'
import { openMirrorIndex } from './mirror-index.ts'
import { createProgress, paint, say, sayJson, warn } from './terminal.ts'
import { parseDuration } from './units.ts'

interface JsonFlag {
  readonly json?: boolean
}

export interface MirrorInitFlags extends JsonFlag {
  readonly offlineKeys?: string
  readonly rootKeys: string
  readonly rootThreshold?: string
  readonly keyType: string
  readonly projects: string
  readonly bins?: string
  readonly maxUnseen: string
  readonly projectList?: boolean
}

export interface MirrorSyncFlags extends JsonFlag {
  readonly index?: string
  readonly baseUrl?: string
  readonly project?: readonly string[]
  readonly requirements?: readonly string[]
  readonly all?: boolean
  readonly fileHosts?: readonly string[]
  readonly acceptRemovals?: boolean
  readonly acceptIndex?: boolean
}

export type MirrorStatusFlags = JsonFlag

/** Requirements files are written by hand; larger is a mistake. */
const maxRequirementsBytes = 16_000_000

export async function runMirrorInit(directory: string, flags: MirrorInitFlags): Promise<number> {
  const { offlineKeys, rootThreshold, bins } = flags
  const result = await initMirror({
    directory,
    clock: Date.now,
    report: createReport(flags).report,
    keyKind: requireKeyKind(flags.keyType),
    rootKeys: requireCount('--root-keys', flags.rootKeys),
    projects: requireCount('--projects', flags.projects),
    maxUnseenMs: requireDuration('--max-unseen', flags.maxUnseen),
    hasProjectList: flags.projectList === true,
    ...(rootThreshold !== undefined && {
      rootThreshold: requireCount('--root-threshold', rootThreshold),
    }),
    ...(bins !== undefined && { bins: requireCount('--bins', bins) }),
    ...(offlineKeys !== undefined && { offlineKeysDirectory: offlineKeys }),
  })
  if (flags.json === true) sayJson(result)
  return 0
}

export async function runMirrorSync(directory: string, flags: MirrorSyncFlags): Promise<number> {
  const { index, baseUrl, project, requirements, all, fileHosts } = flags
  const { report, stop } = createReport(flags)
  try {
    const result = await syncMirror({
      directory,
      clock: Date.now,
      report,
      openIndex: openMirrorIndex,
      acceptRemovals: flags.acceptRemovals === true,
      acceptIndex: flags.acceptIndex === true,
      ...(index !== undefined && { index }),
      ...(baseUrl !== undefined && { baseUrl }),
      ...(project !== undefined && { projects: project }),
      ...(requirements !== undefined && {
        requirements: {
          paths: requirements.map((path) => resolve(path)),
          port: {
            read: readRequirementsFile,
            resolve: (from, nested) => resolve(dirname(from), nested),
          },
        },
      }),
      ...(all !== undefined && { all }),
      ...(fileHosts !== undefined && { fileHosts }),
    })
    stop()
    if (flags.json === true) sayJson(result)
    else say(describeSync(result))
    return result.exitCode
  } finally {
    stop()
  }
}

export async function runMirrorRenew(directory: string, flags: JsonFlag): Promise<number> {
  const { report } = createReport(flags)
  const result = await renewMirror({ directory, clock: Date.now, report })
  if (flags.json === true) sayJson(result)
  else
    say(
      result.published === undefined
        ? 'Nothing is past half its life.'
        : 'Signed again and published.',
    )
  return 0
}

export async function runMirrorStatus(directory: string, flags: JsonFlag): Promise<number> {
  const { report } = createReport(flags)
  const status = await mirrorStatus({ directory, clock: Date.now, report })
  if (flags.json === true) sayJson(status)
  else say(describeStatus(status, Date.now()))
  return 0
}

/** With `--json` standard output is for the outcome alone; what happens on the way goes to standard error. */
function createReport({ json }: JsonFlag): { report: Report; stop: () => void } {
  const progress = createProgress()
  return {
    report: (event) => {
      if (event.kind === 'progress') progress.update(event.done, event.total, 'projects')
      else if (event.kind === 'note' && json !== true) say(event.message)
      else warn(describeEvent(event))
    },
    stop: () => progress.stop(),
  }
}

function describeEvent(event: Exclude<MirrorEvent, { kind: 'progress' }>): string {
  switch (event.kind) {
    case 'note':
      return event.message
    case 'warning':
      return event.next === undefined ? event.message : `${event.message}\n  ${event.next}`
    case 'failed':
      return `${event.project}: not looked at: ${event.message} (${event.code})`
    case 'held':
      return `${event.project === undefined ? '' : `${event.project}: `}held for a person: ${event.message}`
    case 'left-out':
      return `${event.project}: ${toPrintable(event.file)} is left out: ${event.message}`
    case 'conflict':
      return `${event.project}: ${toPrintable(event.file)} has another content now; the one that was signed stays\n  signed ${event.expected}\n  now    ${event.found}`
    case 'not-covered':
      return `${event.place}: not from the index, so not covered: ${toPrintable(event.line)}`
    default:
      return event satisfies never
  }
}

function describeSync({ lookedAt, changed, failed, held, published }: SyncResult): string {
  const outcome = [`${lookedAt} projects looked at`, `${changed} changed`]
  if (failed > 0) outcome.push(paint('red', `${failed} failed`))
  if (held > 0) outcome.push(paint('yellow', `${held} held`))
  return `${outcome.join(', ')}; ${published === undefined ? 'nothing to publish' : 'signed and published'}`
}

function describeStatus(status: MirrorStatus, now: number): string {
  const { roles, projects, files, index, indexSeenAt, held, conflicted } = status
  const lines = [
    `index      ${index ?? 'none yet: mirror sync --index URL'}`,
    `last look  ${indexSeenAt === undefined ? 'never' : `${formatSpan(now - indexSeenAt)} ago`}`,
    `projects   ${projects}`,
    `files      ${files.listed} listed, ${files.removed} removed, ${files.conflicts} in conflict`,
    `bins       ${status.bins}${status.bins === status.recommendedBins ? '' : ` (best for so many projects: ${status.recommendedBins})`}`,
    ...roles.map(({ role, version, expires }) => describeRole({ role, version, expires }, now)),
    ...held.map(({ name, reason }) => paint('yellow', `held       ${name}: ${reason}`)),
    ...conflicted.map((name) => paint('yellow', `conflict   ${name}`)),
  ]
  if (status.unpublishedBins > 0) {
    lines.push(
      paint(
        'yellow',
        `unpublished changes in ${status.unpublishedBins} bins: run mirror sync or renew`,
      ),
    )
  }
  return lines.join('\n')
}

function describeRole(
  {
    role,
    version,
    expires,
  }: { readonly role: string; readonly version: number; readonly expires: number },
  now: number,
): string {
  const when =
    expires > now ? `expires in ${formatSpan(expires - now)}` : paint('red', 'HAS EXPIRED')
  return `${role.padEnd(10)} version ${version}, ${when} (${formatUtcSeconds(expires)})`
}

const keyKinds: readonly KeyKind[] = ['ed25519', 'ecdsa-p256', 'ecdsa-p384', 'rsa-pss']

function requireKeyKind(raw: string): KeyKind {
  const kind = keyKinds.find((known) => known === raw)
  if (kind !== undefined) return kind
  throw new ConfigError('CONFIG_INVALID', `"${toPrintable(raw)}" is not a kind of key.`, {
    expected: keyKinds.join(', '),
  })
}

function requireCount(flag: string, raw: string): number {
  const count = Number(raw)
  if (/^\d{1,9}$/.test(raw) && count >= 1) return count
  throw new ConfigError('CONFIG_INVALID', `${flag} ${toPrintable(raw)} is not a number.`, {
    expected: 'a whole number from 1',
  })
}

function requireDuration(flag: string, raw: string): number {
  const duration = parseDuration(raw)
  if (duration !== undefined && duration > 0) return duration
  throw new ConfigError('CONFIG_INVALID', `${flag} ${toPrintable(raw)} is not a duration.`, {
    expected: 'a number with a unit, such as 24h or 2d',
  })
}

async function readRequirementsFile(path: string): Promise<string> {
  const bytes = await readFile(path)
  if (bytes.length <= maxRequirementsBytes) return bytes.toString('utf8')
  throw new ConfigError('CONFIG_INVALID', `${path} is too large for a requirements file.`, {
    expected: `at most ${maxRequirementsBytes} bytes`,
  })
}
