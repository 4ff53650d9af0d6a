/**
 * The files of a published tree that a client needs for the page of one project, and a client that is
 * lied to about one after the other, each time under a list whose roles are all new to it.
 */

import { status, type Behaviour } from '../../test/support/hostile-server.ts'
import type { HostileMirror } from './hostile-mirror.ts'
import { buildReleases } from './index-attack.ts'

export interface Tried {
  readonly part: string
  /** Of the page that was asked for meanwhile. */
  readonly status: number
  readonly seconds: number
  /** Of the part, from the web server. */
  readonly requests: number
  readonly bytes: number
}

const project = 'foo'
const delegated = ['claimed', 'recently-claimed', 'bins', 'deny']

function ofRole(name: string): RegExp {
  return new RegExp(`^metadata/\\d+\\.${name}\\.json$`)
}

const parts: Readonly<Record<string, RegExp>> = {
  root: /^metadata\/2\.root\.json$/,
  timestamp: /^metadata\/timestamp\.json$/,
  snapshot: ofRole('snapshot'),
  targets: ofRole('targets'),
  claimed: ofRole('claimed'),
  'recently-claimed': ofRole('recently-claimed'),
  bins: ofRole('bins'),
  'bins-NN': ofRole('bins-[0-9a-f]+'),
  record: new RegExp(`^targets/simple/${project}/`),
  deny: ofRole('deny'),
}

/** To a new proxy, which has no list to begin with; the mirror is honest again afterwards. */
export async function lieAboutEach(
  mirror: HostileMirror,
  behaviour: Behaviour,
  settings = '',
): Promise<readonly Tried[]> {
  await signProject(mirror)
  mirror.lie({ about: /./, behaviour: status(404) })
  await mirror.startProxy({ settings })
  // What it asked for at its start is over.
  await askPage(mirror)
  await mirror.passTime()
  const signer = await mirror.rob(['targets', 'claimed', 'bins'])
  const tried: Tried[] = []
  for (const [part, about] of Object.entries(parts)) {
    const { meta } = await signer.read('snapshot')
    const bins = Object.keys(meta).filter((name) => name.startsWith('bins-'))
    const roles = ['targets', ...delegated, ...bins.map((name) => name.replace('.json', ''))]
    await signer.publish(Object.fromEntries(roles.map((role) => [role, () => undefined])))
    mirror.lie({ about, behaviour })
    const before = mirror.countLies()
    const startedAt = Date.now()
    const page = await askPage(mirror)
    const seconds = Math.round((Date.now() - startedAt) / 1000)
    const after = mirror.countLies()
    const [requests, bytes] = [after.requests - before.requests, after.bytes - before.bytes]
    tried.push({ part, status: page.status, seconds, requests, bytes })
    mirror.lie()
    // So that the next request looks at the mirror again.
    await mirror.passTime()
  }
  return tried
}

/** What `lieAboutEach` asks for. */
export async function signProject({ world }: HostileMirror): Promise<void> {
  world.publish(project, buildReleases(project))
  await world.sign()
}

export function askPage(mirror: HostileMirror): Promise<{ readonly status: number }> {
  return mirror.ask(`/simple/${project}/`)
}

/** Parts that were not offered, or of which a page was made nevertheless. */
export function listServed(tried: readonly Tried[]): string[] {
  return tried
    .filter((one) => ![451, 503].includes(one.status) || one.requests === 0)
    .map((one) => `${one.part} (${one.status}, ${one.requests} requests)`)
}
