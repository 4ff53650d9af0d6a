/** `mirror deny add|remove`: what an operator withdraws at once, whoever has signed it. */

import { ConfigError } from '../base/errors.ts'
import { toPrintable } from '../base/bytes.ts'
import { maxDenials, type Denial, type DeniedFiles } from '../simple/denial.ts'
import { parseFilename } from '../simple/filename.ts'
import { comparableVersion, publicKey } from '../simple/version-key.ts'
import { findDenials, putDenials } from './deny.ts'
import type { Mirror, MirrorContext } from './open-mirror.ts'
import { publishNow, type Published } from './publish-now.ts'

/** A version with what will come of it; neither: everything of the project, what will come too. */
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
  /** Anything of the project was ever signed here. */
  readonly isSigned: boolean
  readonly published: Published | undefined
}

export function denyFiles(options: DenyOptions & { readonly reason: string }): Promise<DenyResult> {
  return publishNow(options, async (mirror, now) => {
    const { project, reason, version } = options
    const files = chooseFiles(mirror, options)
    const before = findDenials(mirror, project)
    const added = { reason, since: now, files, ...(version !== undefined && { version }) }
    const denials = [...before, added]
    if (denials.length > maxDenials) throw tooMany(project)
    await putDenials(mirror, { project, denials }, now)
    return { denials, files, isSigned: mirror.ledger.findProject(project) !== undefined }
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
    const listDenials = `mirror deny list ${mirror.directory}`
    const before = findDenials(mirror, project)
    if (before.length === 0) throw refuse(`Nothing of ${project} is denied`, listDenials)
    const files = chooseFiles(mirror, options)
    const taken = { files, ...(options.version !== undefined && { version: options.version }) }
    const denials = before.flatMap((denial) => withoutFiles(denial, taken))
    requireNoVersion(options, files, denials)
    if (JSON.stringify(denials) === JSON.stringify(before)) {
      throw refuse(`None of these files of ${project} is denied by name`, listDenials)
    }
    await putDenials(mirror, { project, denials }, now)
    return { denials, files, isSigned: mirror.ledger.findProject(project) !== undefined }
  })
}

/** A denial of everything is taken back as a whole or not at all. */
function withoutFiles(
  denial: Denial,
  taken: { readonly files: DeniedFiles; readonly version?: string },
): Denial[] {
  if (taken.files === 'all') return []
  if (denial.files === 'all') return [denial]
  const names = new Set(taken.files)
  const files = denial.files.filter((name) => !names.has(name))
  const { version, ...kept } = denial
  if (version === undefined || isSame(version, taken.version)) {
    return files.length === 0 ? [] : [{ ...kept, files }]
  }
  return [{ ...denial, files }]
}

function isSame(version: string, other: string | undefined): boolean {
  return other !== undefined && comparableVersion(version) === comparableVersion(other)
}

/** A file goes on to be withdrawn as long as its version is. */
function requireNoVersion(
  { project, directory }: DenyOptions,
  files: DeniedFiles,
  left: readonly Denial[],
): void {
  if (files === 'all') return
  const found = left
    .flatMap(({ version }) => version ?? [])
    .find((version) => files.some((name) => isOf(name, project, version)))
  if (found === undefined) return
  throw new ConfigError(
    'CONFIG_INVALID',
    `All of ${project} ${toPrintable(found)} is denied, what will come of it too`,
    {
      next: `Take it back as a whole: tufgate mirror deny remove ${directory} ${project} --version ${toPrintable(found)}`,
    },
  )
}

function chooseFiles(mirror: Mirror, choice: DenyChoice): DeniedFiles {
  const { project, files, version } = choice
  if (files === undefined && version === undefined) return 'all'
  const known = listNames(mirror, project)
  const unknown = files?.find((name) => !known.includes(name))
  if (unknown !== undefined) {
    throw refuse(`${project} has no signed file ${toPrintable(unknown)}`, listProjects(mirror))
  }
  const ofVersion =
    version === undefined ? [] : known.filter((name) => isOf(name, project, version))
  if (version !== undefined && ofVersion.length === 0) {
    throw refuse(
      `${project} has no signed file of version ${toPrintable(version)}`,
      listProjects(mirror),
    )
  }
  return [...new Set([...(files ?? []), ...ofVersion])]
}

function isOf(filename: string, project: string, version: string): boolean {
  const found = parseFilename(filename, project).version
  if (found === undefined) return false
  const [key, wanted] = [comparableVersion(found), comparableVersion(version)]
  return wanted === key || wanted === publicKey(key)
}

/** All that was ever signed, from memory: a disk that has lost the record must not delay a withdrawal. */
function listNames(mirror: Mirror, project: string): string[] {
  const { ledger } = mirror
  const known = ledger.findProject(project)
  if (known === undefined) throw refuse(`Nothing of ${project} is signed`, listProjects(mirror))
  return [...ledger.readPins(project, known.id).keys()].filter((name) => !isMetadata(name))
}

function listProjects({ directory }: Mirror): string {
  return `mirror status ${directory} --projects`
}

function isMetadata(name: string): boolean {
  return name.endsWith('.metadata')
}

function refuse(message: string, command: string): ConfigError {
  return new ConfigError('CONFIG_INVALID', message, {
    next: `See what there is: tufgate ${command}`,
  })
}
