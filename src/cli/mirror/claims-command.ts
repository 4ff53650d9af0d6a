/** `tufgate mirror claims add|accept|list|remove|promote`. */

import { toPrintable, type Bytes } from '../../base/bytes.ts'
import { formatSpan, formatUtcSeconds } from '../../base/clock.ts'
import { ConfigError } from '../../base/errors.ts'
import { prepareChange, type PreparedChange } from '../../ceremony/prepare-change.ts'
import { acceptReleases, addClaim, removeClaim } from '../../mirror/claim-work.ts'
import { listOwnerStates, warnedBeforeMs, type OwnerState } from '../../mirror/owner-states.ts'
import { readMirror, type Mirror } from '../../mirror/open-mirror.ts'
import { choosePromotions, requireReleasable } from '../../mirror/promote-claims.ts'
import { findOwnerFileKind } from '../../owner/owner-file.ts'
import { maxReleaseBytes } from '../../owner/release.ts'
import { describeSignatures, type ChangePlaces } from './ceremony-report.ts'
import { createMirrorContext } from './mirror-context.ts'
import { createMirrorIndexOpener } from './mirror-index.ts'
import { createReport } from './mirror-report.ts'
import { readExchanged, writeExchanged } from '../owner-files.ts'
import { requireProject, warnOfUnknown } from '../project-flag.ts'
import { say, sayJson } from '../terminal.ts'

interface JsonFlag {
  readonly json?: boolean
}

export interface ChangeFileFlags extends JsonFlag {
  readonly output?: string
}

export interface PromoteFlags extends ChangeFileFlags {
  readonly all?: boolean
}

type MirrorWork = ReturnType<typeof createMirrorContext> & { readonly directory: string }

function workOn(directory: string, flags: JsonFlag): MirrorWork {
  return { ...createMirrorContext(createReport(flags).report), directory }
}

export async function runClaimsAdd(
  directory: string,
  path: string,
  flags: JsonFlag,
): Promise<number> {
  const bytes = await readExchanged(path, maxReleaseBytes)
  requireKind(bytes, { path, wanted: 'claim', other: `claims accept ${directory}` })
  const { project, kind, claim, isSigned } = await addClaim(workOn(directory, flags), bytes)
  if (!isSigned) warnOfUnknown(project, directory)
  const keys = [...(claim.next ?? claim).keys.keys()]
  if (flags.json === true) {
    sayJson({ project, kind, state: claim.state, keys })
    return 0
  }
  say(`${project}: ${kindWords[kind]}`)
  for (const keyid of keys) say(`  key ${keyid}`)
  if (kind === 'pending') {
    say(
      'Be sure that these keys are those of the maintainers: ask them by another way than this file came.',
    )
    say(
      `${isSigned ? `The mirror goes on signing ${project}` : `Nothing of ${project} is published`} until: tufgate mirror claims accept ${directory} RELEASE`,
    )
  }
  return 0
}

/** Maintainers send both: each goes to the other command when it is taken for the other one. */
function requireKind(
  bytes: Bytes,
  asked: { readonly path: string; readonly wanted: 'claim' | 'release'; readonly other: string },
): void {
  const { path, wanted, other } = asked
  const kind = findOwnerFileKind(bytes)
  if (kind === undefined || kind === wanted) return
  throw new ConfigError(
    'CONFIG_INVALID',
    `${toPrintable(path, 500)} is a ${kind}, and no ${wanted}`,
    {
      next: `For a ${kind} it is: tufgate mirror ${other} ${path}`,
    },
  )
}

const kindWords = {
  pending: 'claimed; it waits for a first release',
  handover: 'signed by the keys of now; new keys take over with the first release that they sign',
  known: 'these are the keys of now',
}

export async function runClaimsAccept(
  directory: string,
  paths: readonly string[],
  flags: JsonFlag,
): Promise<number> {
  const releases: Bytes[] = []
  for (const path of paths) {
    const bytes = await readExchanged(path, maxReleaseBytes)
    requireKind(bytes, { path, wanted: 'release', other: `claims add ${directory}` })
    releases.push(bytes)
  }
  const { accepted, published } = await acceptReleases({
    ...workOn(directory, flags),
    openIndex: createMirrorIndexOpener(directory),
    releases,
  })
  if (flags.json === true) {
    const results = accepted.map((one) => ({ ...one, expires: formatUtcSeconds(one.expires) }))
    sayJson({ accepted: results, published })
    return 0
  }
  for (const { project, version, expires, isNew, isHandover } of accepted) {
    const news = isNew ? 'accepted' : 'was accepted before'
    say(`${project}: release ${version} ${news}, until ${formatUtcSeconds(expires)}`)
    if (isHandover) say(`${project}: its new keys are in force`)
  }
  say(
    published === undefined
      ? 'Nothing to publish.'
      : `Published, timestamp ${published.timestamp}.`,
  )
  return 0
}

export async function runClaimsList(directory: string, flags: JsonFlag): Promise<number> {
  const owners = await readMirror(directory, listOwnerStates)
  const now = Date.now()
  if (flags.json === true) {
    sayJson(owners.map((owner) => renderOwner(owner, now)))
    return 0
  }
  if (owners.length === 0) say('No project signs for itself.')
  for (const owner of owners) for (const line of describeOwner(owner, now)) say(line)
  return 0
}

function renderOwner(owner: OwnerState, now: number): object {
  const { project, state, keys, threshold, version, expires, next } = owner
  return {
    project,
    state,
    keys: [...keys.keys()],
    threshold,
    ...(version !== undefined && { version }),
    ...(expires !== undefined && {
      expires: formatUtcSeconds(expires),
      expiresSoon: expires - now < warnedBeforeMs,
    }),
    ...(next !== undefined && { nextKeys: [...next.keys.keys()] }),
  }
}

function describeOwner(owner: OwnerState, now: number): string[] {
  const { project, state, keys, threshold, version, expires, next } = owner
  const release = version === undefined ? 'no release yet' : `release ${version}`
  return [
    `${project}: ${state}, ${release}${expires === undefined ? '' : `, ${describeExpiry(expires, now)}`}`,
    `  ${threshold} of ${[...keys.keys()].join(', ')}`,
    ...(next === undefined
      ? []
      : [`  to be replaced by ${next.threshold} of ${[...next.keys.keys()].join(', ')}`]),
  ]
}

function describeExpiry(expires: number, now: number): string {
  if (expires <= now) return `EXPIRED ${formatSpan(now - expires)} ago: clients refuse it`
  const soon = expires - now < warnedBeforeMs ? ' - ask its maintainers to sign it again' : ''
  return `expires in ${formatSpan(expires - now)}${soon}`
}

export async function runClaimsRemove(
  directory: string,
  rawProject: string,
  flags: ChangeFileFlags,
): Promise<number> {
  const project = requireProject(rawProject)
  const { output } = flags
  if (output !== undefined) {
    const prepared = await prepareChange({
      ...workOn(directory, flags),
      listReleased: (mirror: Mirror) => [requireReleasable(mirror, project)],
    })
    return putChange({ directory, file: output }, prepared, flags)
  }
  const { claim, published } = await removeClaim(workOn(directory, flags), project)
  if (flags.json === true) sayJson({ project, was: claim.state, published })
  else
    say(
      `${project}: the claim is gone${claim.state === 'pending' ? '' : '; the mirror signs it again'}`,
    )
  return 0
}

export async function runClaimsPromote(
  directory: string,
  rawProjects: readonly string[],
  flags: PromoteFlags,
): Promise<number> {
  const { output, all } = flags
  if (output === undefined) {
    throw new ConfigError('CONFIG_INVALID', '-o is missing.', {
      next: 'Say where the change goes that people sign: -o CHANGE',
    })
  }
  if ((all === true) === rawProjects.length > 0) {
    throw new ConfigError('CONFIG_INVALID', 'Which claims are to be promoted?', {
      next: 'Name projects, or say --all.',
    })
  }
  const projects = all === true ? undefined : rawProjects.map(requireProject)
  const prepared = await prepareChange({
    ...workOn(directory, flags),
    listClaims: (mirror) => choosePromotions(mirror, projects),
  })
  return putChange({ directory, file: output }, prepared, flags)
}

async function putChange(
  places: Required<ChangePlaces>,
  { bytes, checked, summary }: PreparedChange,
  flags: JsonFlag,
): Promise<number> {
  const { file } = places
  await writeExchanged(file, bytes)
  if (flags.json === true) {
    sayJson({ file, summary })
    return 0
  }
  for (const line of [...summary, '', ...describeSignatures(checked, places), '']) say(line)
  say(`${file}: whoever has a key of claimed signs it on his own machine, then it is published:`)
  say(`  tufgate mirror root sign ${file} --key KEY`)
  say(`  tufgate mirror root publish ${places.directory} ${file}`)
  return 0
}
