/** `mirror deny add|remove`: what an operator withdraws at once, whoever has signed it. */

import { ConfigError } from '../base/errors.ts'
import { toPrintable } from '../base/bytes.ts'
import { maxDenials, type Denial, type DeniedFiles } from '../simple/denial.ts'
import { parseFilename } from '../simple/filename.ts'
import { parseRecord } from '../simple/record.ts'
import { versionKey } from '../simple/version-key.ts'
import { findDenials, putDenials } from './deny.ts'
import type { Mirror, MirrorContext } from './open-mirror.ts'
import { publishNow, type Published } from './publish-now.ts'
import { recordTarget, targetPath } from './tree-layout.ts'

/** Neither: everything of the project, what will come too. */
export interface DenyChoice {
  readonly project: string
  readonly files?: readonly string[]
  readonly version?: string
}

export interface DenyOptions extends MirrorContext, DenyChoice {
  readonly directory: string
}

export interface DenyResult {
  readonly denials: readonly Denial[]
  /** What was added, or taken back. */
  readonly files: DeniedFiles
  readonly published: Published | undefined
}

export function denyFiles(options: DenyOptions & { readonly reason: string }): Promise<DenyResult> {
  return publishNow(options, async (mirror, now) => {
    const { project, reason } = options
    const files = await chooseFiles(mirror, options)
    const before = findDenials(mirror, project)
    const denials = [...before, { reason, since: now, files }]
    if (denials.length > maxDenials) throw tooMany(project)
    await putDenials(mirror, { project, denials }, now)
    return { denials, files }
  })
}

function tooMany(project: string): ConfigError {
  return new ConfigError('CONFIG_INVALID', `${project} has ${maxDenials} denials already`, {
    next: 'Take them back, and deny all of the project at once.',
  })
}

/** Throws CONFIG_INVALID where nothing of that is denied. */
export function allowFiles(options: DenyOptions): Promise<DenyResult> {
  return publishNow(options, async (mirror, now) => {
    const { project } = options
    const before = findDenials(mirror, project)
    if (before.length === 0) throw refuse(`Nothing of ${project} is denied`, 'mirror deny list DIR')
    const files = await chooseFiles(mirror, options)
    const denials = files === 'all' ? [] : before.flatMap((denial) => withoutFiles(denial, files))
    if (JSON.stringify(denials) === JSON.stringify(before)) {
      throw refuse(`None of these files of ${project} is denied by name`, 'mirror deny list DIR')
    }
    await putDenials(mirror, { project, denials }, now)
    return { denials, files }
  })
}

/** A denial of everything is taken back as a whole or not at all. */
function withoutFiles(denial: Denial, files: readonly string[]): Denial[] {
  if (denial.files === 'all') return [denial]
  const rest = denial.files.filter((name) => !files.includes(name))
  return rest.length === 0 ? [] : [{ ...denial, files: rest }]
}

async function chooseFiles(mirror: Mirror, choice: DenyChoice): Promise<DeniedFiles> {
  const { project, files, version } = choice
  if (files === undefined && version === undefined) return 'all'
  const known = await listFiles(mirror, project)
  const unknown = files?.find((name) => !known.includes(name))
  if (unknown !== undefined) {
    throw refuse(`${project} has no signed file ${toPrintable(unknown)}`, 'mirror status DIR')
  }
  const ofVersion =
    version === undefined ? [] : known.filter((name) => isOf(name, project, version))
  if (version !== undefined && ofVersion.length === 0) {
    throw refuse(
      `${project} has no signed file of version ${toPrintable(version)}`,
      'mirror status DIR',
    )
  }
  return [...new Set([...(files ?? []), ...ofVersion])]
}

function isOf(filename: string, project: string, version: string): boolean {
  const found = parseFilename(filename, project).version
  return found !== undefined && keyOf(found) === keyOf(version)
}

function keyOf(version: string): string {
  return versionKey(version) ?? version
}

async function listFiles(mirror: Mirror, project: string): Promise<string[]> {
  const known = mirror.ledger.findProject(project)
  const path = known && targetPath(recordTarget(project), known.sha256)
  const bytes = path === undefined ? undefined : await mirror.tree.read(path)
  if (bytes === undefined) {
    throw refuse(`There is no signed record of ${project}`, 'mirror status DIR')
  }
  return parseRecord(bytes, project).files.map(({ filename }) => filename)
}

function refuse(message: string, command: string): ConfigError {
  return new ConfigError('CONFIG_INVALID', message, {
    next: `See what there is: tufgate ${command}`,
  })
}
