/** `tufgate mirror init|sync|renew|status`: flags in, plain sentences or JSON out. */

import { readFile } from 'node:fs/promises'
import { dirname, isAbsolute, join, normalize } from 'node:path'
import { toPrintable } from '../../base/bytes.ts'
import { ConfigError } from '../../base/errors.ts'
import { initMirror } from '../../mirror/init.ts'
import { renewMirror } from '../../mirror/renew.ts'
import { requireSnapshotHashes } from '../../mirror/shape.ts'
import type { SelectionOptions } from '../../mirror/selection.ts'
import { readMirror } from '../../mirror/open-mirror.ts'
import { mirrorStatus } from '../../mirror/status.ts'
import { syncMirror } from '../../mirror/sync.ts'
import { requireKeyKind } from '../key-kind.ts'
import { requireCount } from '../count-flag.ts'
import { createMirrorContext } from './mirror-context.ts'
import { createMirrorIndexOpener, requireIndexLocation } from './mirror-index.ts'
import { createReport, describeStatus, describeSync } from './mirror-report.ts'
import { readMirrorSettings } from './mirror-settings.ts'
import { requireContact, requireCredentialsSetting, requireParallel } from './sync-flags.ts'
import { say, sayJson } from '../terminal.ts'
import { durationWords, parseDuration } from '../units.ts'
import { runVerifyFiles } from './verify-files-command.ts'

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
  readonly signFiles?: boolean
  readonly htmlRecords?: boolean
  readonly snapshotHashes: string
}

export interface MirrorSyncFlags extends JsonFlag {
  readonly index?: string
  readonly baseUrl?: string
  readonly project?: readonly string[]
  readonly requirements?: readonly string[]
  readonly all?: boolean
  readonly fileHosts?: readonly string[]
  readonly credentials?: string
  readonly acceptIndex?: boolean
  readonly acceptClock?: boolean
  readonly full?: boolean
  readonly parallel?: string
  /** `false` with `--no-sizes`. */
  readonly sizes?: boolean
  readonly contact?: string
  readonly verifyFiles?: boolean
}

export interface MirrorRenewFlags extends JsonFlag {
  readonly all?: boolean
  readonly acceptClock?: boolean
}

export interface MirrorStatusFlags extends JsonFlag {
  /** The names of what is signed, and nothing else. */
  readonly projects?: boolean
}

/** Of names; no index has so many projects. */
const maxListed = 10_000_000

/** Requirements files are written by hand; larger is a mistake. */
const maxRequirementsBytes = 16_000_000

export async function runMirrorInit(directory: string, flags: MirrorInitFlags): Promise<number> {
  const { offlineKeys, rootThreshold, bins } = flags
  const result = await initMirror({
    directory,
    ...createMirrorContext(createReport(flags).report),
    keyKind: requireKeyKind(flags.keyType),
    rootKeys: requireCount('--root-keys', flags.rootKeys),
    projects: requireCount('--projects', flags.projects),
    maxUnseenMs: requireDuration('--max-unseen', flags.maxUnseen),
    hasProjectList: flags.projectList === true,
    shape: {
      signsFiles: flags.signFiles === true,
      signsHtml: flags.htmlRecords === true,
      snapshotHashes: requireSnapshotHashes(flags.snapshotHashes),
    },
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
  const { index, baseUrl, fileHosts, contact } = flags
  // Before the mirror is opened: what cannot be an index is not worth a lock.
  if (index !== undefined) requireIndexLocation(index)
  const parallel = flags.parallel === undefined ? undefined : requireParallel(flags.parallel)
  const credentials =
    flags.credentials === undefined ? undefined : requireCredentialsSetting(flags.credentials)
  const { report, stop } = createReport(flags)
  try {
    const result = await syncMirror({
      directory,
      ...createMirrorContext(report),
      openIndex: createMirrorIndexOpener(directory, { parallel, credentials }),
      ...readMirrorSettings(directory).sync,
      acceptIndex: flags.acceptIndex === true,
      acceptClock: flags.acceptClock === true,
      hasSizes: flags.sizes !== false,
      ...(index !== undefined && { index }),
      ...(baseUrl !== undefined && { baseUrl }),
      ...selectByFlags(flags),
      ...(parallel !== undefined && { parallel }),
      ...(contact !== undefined && { contact: requireContact(contact) }),
      ...(fileHosts !== undefined && { fileHosts }),
    })
    stop()
    if (flags.json === true) sayJson(result)
    else say(describeSync(result, { directory, isNamed: isNamed(flags) }))
    if (flags.verifyFiles !== true) return result.exitCode
    const verifyFlags = {
      json: flags.json === true,
      ...(credentials !== undefined && { credentials }),
    }
    return Math.max(result.exitCode, await runVerifyFiles(directory, verifyFlags))
  } finally {
    stop()
  }
}

function selectByFlags({ project, requirements, all, full }: MirrorSyncFlags): SelectionOptions {
  return {
    ...(project !== undefined && { projects: project }),
    ...(requirements !== undefined && {
      requirements: {
        paths: requirements.map((path) => normalize(path)),
        port: { read: readRequirementsFile, resolve: resolveInclude },
      },
    }),
    ...(all !== undefined && { all }),
    ...(full !== undefined && { full }),
  }
}

/** The projects were named one by one, or by requirements files. */
function isNamed({ project, requirements, all }: MirrorSyncFlags): boolean {
  return all !== true && (project !== undefined || requirements !== undefined)
}

export async function runMirrorRenew(directory: string, flags: MirrorRenewFlags): Promise<number> {
  const { report } = createReport(flags)
  const result = await renewMirror({
    directory,
    ...createMirrorContext(report),
    openIndex: createMirrorIndexOpener(directory),
    isAll: flags.all === true,
    acceptClock: flags.acceptClock === true,
  })
  if (flags.json === true) sayJson(result)
  else
    say(
      result.published === undefined
        ? 'Nothing is past half its life.'
        : 'Signed again and published.',
    )
  return 0
}

export async function runMirrorStatus(
  directory: string,
  flags: MirrorStatusFlags,
): Promise<number> {
  if (flags.projects === true) {
    const names = await readMirror(directory, ({ ledger }) => ledger.listNames('', maxListed))
    if (flags.json === true) sayJson(names)
    else for (const name of names) say(name)
    return 0
  }
  const { report } = createReport(flags)
  const status = await mirrorStatus({ directory, clock: Date.now, report })
  if (flags.json === true) sayJson(status)
  else say(describeStatus(status, { directory, now: Date.now() }))
  return 0
}

function requireDuration(flag: string, raw: string): number {
  const duration = parseDuration(raw)
  if (duration !== undefined && duration > 0) return duration
  throw new ConfigError('CONFIG_INVALID', `${flag} ${toPrintable(raw)} is not a duration.`, {
    expected: durationWords,
  })
}

/** As it is written, so that messages name what the operator knows. */
function resolveInclude(from: string, nested: string): string {
  return isAbsolute(nested) ? normalize(nested) : join(dirname(from), nested)
}

async function readRequirementsFile(path: string): Promise<string> {
  const bytes = await readFile(path)
  if (bytes.length <= maxRequirementsBytes) return bytes.toString('utf8')
  throw new ConfigError('CONFIG_INVALID', `${path} is too large for a requirements file.`, {
    expected: `at most ${maxRequirementsBytes} bytes`,
  })
}
