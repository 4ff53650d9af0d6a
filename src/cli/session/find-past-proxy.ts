/**
 * What the command that `run` is about to start leads past its proxy: by what stands on the command line,
 * in the files that it names, and, counted only, in the folder where it starts. With the doctor's words.
 */

import type { Environment } from '../../base/environment.ts'
import type { Finding } from '../../doctor/finding.ts'
import { judgeLockFile } from '../../doctor/judge-locked.ts'
import { judgeReference, type JudgeContext } from '../../doctor/judge-reference.ts'
import { mendForCommand } from '../../doctor/mend-reference.ts'
import { OwnAddresses } from '../../doctor/own-address.ts'
import { commandLinePlace } from '../../doctor/places.ts'
import { readCommandLine, type ReadCommandLine } from '../../installers/command-line.ts'
import type { FoundReferences } from '../doctor/doctor-references.ts'

export interface PastProxyContext {
  readonly commandLine: readonly string[]
  readonly folder: string
  readonly stateHome: string
  readonly indexUrl: string
  readonly indexHosts: readonly string[]
  /** Of the command. */
  readonly environment: Environment
  readonly isIntercepting: boolean
}

export interface PastProxy {
  /** Of this very command. */
  readonly findings: readonly Finding[]
  /** In settings of the folder, which this command may read or not. */
  readonly folderCount: number
}

export async function findPastProxy(context: PastProxyContext): Promise<PastProxy> {
  const read = readCommandLine(context.commandLine)
  const judging = createJudgeContext(context)
  const direct = read.references.flatMap(
    (reference) => judgeReference(reference, commandLinePlace, judging) ?? [],
  )
  const { included, inFolder } = await findReferences(read, context)
  return {
    findings: [
      ...describeForgetful(read),
      ...describePoetry(read, context.isIntercepting),
      ...[...direct, ...judgeFound(included, judging)].filter(isPast),
    ],
    folderCount: judgeFound(inFolder, judging).filter(({ severity }) => severity === 'problem')
      .length,
  }
}

/** A file that the user names by its path is no source that somebody else could fill. */
function isPast({ severity, code }: Finding): boolean {
  return severity !== 'note' && code !== 'local-file'
}

function createJudgeContext(context: PastProxyContext): JudgeContext {
  const { commandLine, environment, indexUrl, indexHosts } = context
  const { hostname, port } = new URL(indexUrl)
  const own = new OwnAddresses({
    listen: [{ host: hostname, port: Number(port) }],
    hosts: [],
    answering: [indexUrl],
  })
  return {
    own,
    // pip then does not look at the variables that name an HTTP proxy.
    environment: commandLine.includes('--no-proxy-env') ? {} : environment,
    indexHosts: new Set(indexHosts),
    configFlag: '',
    isPipCarried: false,
    overriding: new Map(),
    mend: mendForCommand,
  }
}

interface Found {
  readonly included: FoundReferences
  readonly inFolder: FoundReferences
}

const nothing: FoundReferences = { references: [], locks: new Map(), findings: [], uses: [] }

async function findReferences(
  { installer, includes }: ReadCommandLine,
  { folder, stateHome }: PastProxyContext,
): Promise<Found> {
  const { findFolderReferences, followIncludes } = await import('../doctor/doctor-references.ts')
  const options = { folder, stateHome, environment: {}, prefixes: [] }
  return {
    included: followIncludes(includes, commandLinePlace, options),
    // pip reads what it is told to on its command line, and nothing else there.
    inFolder: installer === 'pip' ? nothing : keepOf(installer, findFolderReferences(options)),
  }
}

/** Settings of other installers do not concern this one. */
function keepOf(installer: ReadCommandLine['installer'], found: FoundReferences): FoundReferences {
  if (installer === undefined) return found
  const { references, locks, findings, uses } = found
  return {
    references: references.filter(({ reference }) => reference.installer === installer),
    locks: new Map(
      [...locks].filter(([, [first]]) => first !== undefined && first.installer === installer),
    ),
    findings,
    uses,
  }
}

function judgeFound(found: FoundReferences, context: JudgeContext): Finding[] {
  const locked = Array.from(found.locks, ([path, all]) => judgeLockFile(all, path, context))
  return [
    ...found.references
      .filter(({ reference: { kind } }) => kind !== 'pypi')
      .flatMap(({ place, reference }) => judgeReference(reference, place, context) ?? []),
    // The doctor would have it rewritten to an address that ends with this command.
    ...locked.flat().map((finding) => ({ ...finding, mend: 'use --intercept, or lock it anew' })),
    ...found.findings,
  ]
}

/** They start what they are given without the variables of whoever calls them. */
function describeForgetful({ forgetful }: ReadCommandLine): Finding[] {
  if (forgetful === undefined) return []
  return [
    {
      severity: 'problem',
      code: 'variables-dropped',
      place: commandLinePlace,
      what: `${forgetful} does not hand the variables on`,
      why: 'what it starts goes past this proxy',
      mend: `let it start tufgate (${forgetful} ... tufgate run -- ...)`,
    },
  ]
}

function describePoetry({ installer }: ReadCommandLine, isIntercepting: boolean): Finding[] {
  if (isIntercepting || installer !== 'poetry') return []
  return [
    {
      severity: 'problem',
      code: 'poetry-index',
      place: commandLinePlace,
      what: 'poetry has no variable for its index',
      why: 'without the plugin poetry-plugin-pypi-mirror it goes past this proxy, to pypi.org and to the sources in pyproject.toml',
      mend: 'use --intercept, or the plugin',
    },
  ]
}
