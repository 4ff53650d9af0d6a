/**
 * A file that is asked for by its own URL, without its project. The file name says whose it may be; of
 * those the records that list this URL must all agree what it is, and then it is released as ever.
 */

import { toPrintable } from '../base/bytes.ts'
import { DecisionError, RequestError } from '../base/errors.ts'
import { findProjectsOf, maxProjects } from '../simple/filename-projects.ts'
import type { ServedPath } from '../simple/record.ts'
import type { IndexAddressee } from './addressee.ts'
import type { Exchange } from './exchange.ts'
import type { ForwardIndex, ForwardPort } from './forward-port.ts'
import type { ForwardFileRoute } from './forward-route.ts'
import type { GatewayOps } from './gateway.ts'
import { findListing, releaseServed, requireServed, type ReleaseDependencies } from './release.ts'

/** Throws RequestError NOT_FOUND, DecisionError CONFLICT, and what a release does. */
export async function releaseForwardFile(
  exchange: Exchange,
  route: ForwardFileRoute,
  { indexes, port }: { indexes: IndexAddressee['indexes']; port: ForwardPort },
  dependencies: ReleaseDependencies,
): Promise<void> {
  const { subject } = exchange
  subject.resource = 'file'
  subject.file = route.filename
  const owners = findOwners(route.filename, indexes, port)
  const [first, ...others] = await findListings(owners, route.path, dependencies.ops)
  if (first === undefined) throw refuseUnlisted(owners)
  subject.project = first
  const readings: ServedPath[] = []
  // The first comes last: what the log says of the file afterwards is said of its record.
  for (const project of [...others, first]) {
    // oxlint-disable-next-line no-await-in-loop -- each sets the subject
    readings.push(await requireServed(exchange, { project, path: route.path }, dependencies.ops))
  }
  const served = requireAgreement(readings, route.filename)
  return releaseServed(exchange, first, served, dependencies)
}

/** Projects whose file this may be, as far as they belong to an index that has this host. */
function findOwners(
  filename: string,
  indexes: readonly ForwardIndex[],
  port: ForwardPort,
): readonly string[] {
  const projects = findProjectsOf(filename.replace(/\.metadata$/, ''), maxProjects + 1)
  if (projects.length > maxProjects) {
    const message = `${toPrintable(filename)} may be a file of more than ${maxProjects} projects`
    throw new DecisionError('CONFLICT', message, {
      next: 'use this proxy as the index URL: its links say whose file each is',
    })
  }
  return projects.filter((project) => {
    const owner = port.indexes.find((index) => index.owns(project))
    return owner !== undefined && indexes.includes(owner)
  })
}

async function findListings(
  projects: readonly string[],
  path: string,
  ops: GatewayOps,
): Promise<readonly string[]> {
  const found = await Promise.all(
    projects.map(async (project) => {
      const lookup = await findListing({ project, path }, ops)
      return lookup.kind === 'found' && lookup.record.byPath.has(path) ? [project] : []
    }),
  )
  return found.flat()
}

function requireAgreement(readings: readonly ServedPath[], filename: string): ServedPath {
  const served = readings.at(-1)
  const other = readings.find(
    ({ sha256, size, kind }) =>
      sha256 !== served?.sha256 || size !== served.size || kind !== served.kind,
  )
  if (served !== undefined && other === undefined) return served
  const message = `records of several projects disagree about ${toPrintable(filename)}`
  throw new DecisionError('CONFLICT', message, {
    ...(served !== undefined && { expected: `sha256:${served.sha256}` }),
    ...(other !== undefined && { found: `sha256:${other.sha256}` }),
    next: 'ask whoever runs the mirror which of the records is right',
  })
}

function refuseUnlisted(projects: readonly string[]): RequestError {
  const records = projects.length === 1 ? 'the record' : 'no record'
  const message =
    projects.length === 0
      ? 'this is not the name of a file of a project of this index'
      : `${records} of ${projects.join(', ')} lists ${projects.length === 1 ? 'no such' : 'this'} file`
  return new RequestError('NOT_FOUND', message, {
    next: 'follow the links of the project page; old lock files may name other URLs',
  })
}
