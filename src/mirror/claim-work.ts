/**
 * `mirror claims add|accept|remove`: what an operator does with the claims and releases that maintainers
 * send. What changes is published at once.
 */

import type { Bytes } from '../base/bytes.ts'
import { ConfigError } from '../base/errors.ts'
import { checkRelease, type AcceptedRelease } from './accept-release.ts'
import { findClaim, type StoredClaim } from './claims.ts'
import { buildHostCheck } from './host-check.ts'
import { chooseIndex, type OpenIndex } from './index-choice.ts'
import { openMirror, type Mirror, type MirrorContext } from './open-mirror.ts'
import { publishNow, type Published } from './publish-now.ts'
import { updateProjectList } from './published-list.ts'
import { registerClaim, type RegisteredClaim } from './register-claim.ts'
import { releaseClaim } from './settle-claims.ts'

export interface ClaimOptions extends MirrorContext {
  readonly directory: string
}

export interface AddedClaim extends RegisteredClaim {
  /** Anything of the project was ever signed here. */
  readonly isSigned: boolean
}

/** Publishes nothing: a claim without a release would make the project vanish. */
export async function addClaim(options: ClaimOptions, bytes: Bytes): Promise<AddedClaim> {
  const mirror = await openMirror(options.directory, options)
  try {
    const registered = registerClaim(mirror, bytes)
    const isSigned = mirror.ledger.findProject(registered.project) !== undefined
    return { ...registered, isSigned }
  } finally {
    await mirror.close()
  }
}

export interface AcceptReleasesOptions extends ClaimOptions {
  readonly openIndex: OpenIndex
  readonly releases: readonly Bytes[]
}

export interface AcceptedReleases {
  readonly accepted: readonly AcceptedRelease[]
  readonly published: Published | undefined
}

/** All of them or none is published: the first that is refused ends it. */
export function acceptReleases(options: AcceptReleasesOptions): Promise<AcceptedReleases> {
  return publishNow(options, async (mirror, now) => {
    const isAllowedUrl = await openHostCheck(mirror, options.openIndex)
    const checked = options.releases.map((bytes) =>
      checkRelease(mirror, bytes, { isAllowedUrl, now }),
    )
    requireDistinct(checked.map(({ accepted }) => accepted))
    for (const { put } of checked) await put()
    // An owner may be the first who signs his project here.
    await updateProjectList(mirror, now)
    return { accepted: checked.map(({ accepted }) => accepted) }
  })
}

function requireDistinct(checked: readonly AcceptedRelease[]): void {
  const names = checked.map(({ project }) => project)
  const twice = names.find((name, at) => names.indexOf(name) !== at)
  if (twice === undefined) return
  throw new ConfigError('CONFIG_INVALID', `Two releases of ${twice} are given at once`, {
    next: 'Give the newer one alone.',
  })
}

/** Where files may be is what a sync goes by too. */
async function openHostCheck(
  mirror: Mirror,
  openIndex: OpenIndex,
): Promise<(url: string) => boolean> {
  const { port } = await chooseIndex(mirror, {}, openIndex)
  await port.close()
  return buildHostCheck(port.fileHosts)
}

export interface RemovedClaim {
  readonly claim: StoredClaim
  readonly published: Published | undefined
}

/** Throws CONFIG_INVALID for a claim that only a ceremony can undo. */
export function removeClaim(options: ClaimOptions, project: string): Promise<RemovedClaim> {
  return publishNow(options, (mirror, now) => {
    const claim = requireClaim(mirror, project)
    if (claim.state === 'promoted') throw refusePromoted(options.directory, project)
    mirror.ledger.database.transaction(() => releaseClaim(mirror, project, now))
    return Promise.resolve({ claim })
  })
}

function requireClaim(mirror: Mirror, project: string): StoredClaim {
  const claim = findClaim(mirror, project)
  if (claim !== undefined) return claim
  throw new ConfigError('CONFIG_INVALID', `Nobody has claimed ${project}`, {
    next: `List the claims with: tufgate mirror claims list ${mirror.directory}`,
  })
}

function refusePromoted(directory: string, project: string): ConfigError {
  return new ConfigError(
    'CONFIG_INVALID',
    `The claim of ${project} is promoted: the offline role claimed names its owners`,
    {
      next: `Prepare the change that people sign: tufgate mirror claims remove ${directory} ${project} -o CHANGE`,
    },
  )
}
