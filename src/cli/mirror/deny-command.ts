/** `tufgate mirror deny add|remove|list`. */

import { toPrintable } from '../../base/bytes.ts'
import { formatUtcSeconds } from '../../base/clock.ts'
import { ConfigError } from '../../base/errors.ts'
import { listDenials } from '../../mirror/deny.ts'
import { allowFiles, denyFiles, type DenyOptions, type DenyResult } from '../../mirror/deny-work.ts'
import { readMirror } from '../../mirror/open-mirror.ts'
import type { Denial } from '../../simple/denial.ts'
import { createMirrorContext } from './mirror-context.ts'
import { createReport } from './mirror-report.ts'
import { requireProject, warnOfUnknown } from '../project-flag.ts'
import { say, sayJson } from '../terminal.ts'

export interface DenyFlags {
  readonly file?: readonly string[]
  readonly version?: string
  readonly json?: boolean
}

export interface DenyAddFlags extends DenyFlags {
  readonly reason: string
}

export async function runDenyAdd(
  directory: string,
  project: string,
  flags: DenyAddFlags,
): Promise<number> {
  if (flags.reason.trim() === '') {
    throw new ConfigError('CONFIG_INVALID', 'The reason is empty.', {
      next: 'Say it in a sentence: whoever asks for the file reads it.',
    })
  }
  const { reason } = flags
  const options = readOptions(directory, project, flags)
  const result = await denyFiles({ ...options, reason })
  if (!result.isSigned) warnOfUnknown(options.project, directory)
  return tell(project, flags, result, 'withdrawn')
}

export async function runDenyRemove(
  directory: string,
  project: string,
  flags: DenyFlags,
): Promise<number> {
  const result = await allowFiles(readOptions(directory, project, flags))
  return tell(project, flags, result, 'no longer withdrawn')
}

function tell(
  project: string,
  { json, version }: DenyFlags,
  result: DenyResult,
  act: string,
): number {
  const { files, denials, published } = result
  if (json === true) {
    sayJson({ project, files, denials: denials.map(renderDenial), published })
    return 0
  }
  const named = files === 'all' ? 'everything' : files.map((name) => toPrintable(name)).join(', ')
  const what = version === undefined ? named : `version ${toPrintable(version)} (${named})`
  say(
    `${toPrintable(project)}: ${what} is ${act}; published with timestamp ${published?.timestamp ?? '-'}`,
  )
  return 0
}

function renderDenial({ since, ...denial }: Denial): object {
  return { ...denial, since: formatUtcSeconds(since) }
}

function readOptions(directory: string, rawProject: string, flags: DenyFlags): DenyOptions {
  const { file, version } = flags
  const project = requireProject(rawProject)
  const { report } = createReport(flags)
  return {
    ...createMirrorContext(report),
    directory,
    project,
    ...(file !== undefined && { files: file }),
    ...(version !== undefined && { version }),
  }
}

export async function runDenyList(
  directory: string,
  flags: { readonly json?: boolean },
): Promise<number> {
  const projects = await readMirror(directory, listDenials)
  if (flags.json === true) {
    sayJson(
      projects.map(({ project, denials }) => ({ project, denied: denials.map(renderDenial) })),
    )
    return 0
  }
  if (projects.length === 0) say('Nothing is withdrawn.')
  for (const { project, denials } of projects) {
    for (const { reason, since, files, version } of denials) {
      say(`${project}: ${toPrintable(reason)} (since ${formatUtcSeconds(since)})`)
      if (version !== undefined)
        say(`  version ${toPrintable(version)}, what will come of it too; so far:`)
      say(
        `  ${files === 'all' ? 'everything' : files.map((name) => toPrintable(name)).join('\n  ')}`,
      )
    }
  }
  return 0
}
