/** Our own verification core against a published folder: what a client would make of it. */

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { sha256Hex } from '../../src/base/digest.ts'
import { parseRecord, type ProjectRecord } from '../../src/simple/record.ts'
import { findTarget } from '../../src/tuf/search.ts'
import {
  acceptDelegated,
  acceptSnapshot,
  acceptTargets,
  acceptTimestamp,
  trustRoot,
  type TrustedSet,
} from '../../src/tuf/trusted-set.ts'
import type { Floors } from '../../src/tuf/floors.ts'

export const noFloors: Floors = { versions: new Map(), signedAt: 0, epoch: 0 }

function read(folder: string, name: string): Promise<Uint8Array> {
  return readFile(join(folder, 'metadata', `${name}.json`))
}

/** Everything that the timestamp of now leads to; throws where a client would refuse. */
export async function trustFolder(
  folder: string,
  now: number,
  floors: Floors = noFloors,
): Promise<TrustedSet> {
  const root = trustRoot(await read(folder, '1.root'), floors)
  const dated = acceptTimestamp(root, await read(folder, 'timestamp'), now)
  const snapshotVersion = dated.timestamp!.snapshot.version
  const listed = acceptSnapshot(dated, await read(folder, `${snapshotVersion}.snapshot`), now)
  return acceptTargets(
    listed,
    await read(folder, `${listed.snapshot!.meta.get('targets.json')!.version}.targets`),
    now,
  )
}

export async function findRecord(
  folder: string,
  project: string,
  trusted: TrustedSet,
  now: number,
): Promise<ProjectRecord | undefined> {
  const path = `simple/${project}/index.json`
  const { target } = await findTarget(
    trusted,
    path,
    async (delegator, role) => {
      const { version } = trusted.snapshot!.meta.get(`${role}.json`)!
      return acceptDelegated(trusted, delegator, role, await read(folder, `${version}.${role}`))
    },
    { now },
  )
  if (target === undefined) return undefined
  const digest = target.hashes.get('sha256')!
  const bytes = await readFile(join(folder, 'targets/simple', project, `${digest}.index.json`))
  if (bytes.length !== target.length || sha256Hex(bytes) !== digest) throw new Error('wrong target')
  return parseRecord(bytes, project)
}
