/** A record in which the newest wheel of a project is an evil one: what a thief of keys would sign. */

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { encodeUtf8 } from '../../src/base/bytes.ts'
import type { TrialFile } from '../../test/e2e/trial.ts'
import type { OnlineThief } from '../../test/mirror/online-thief.ts'
import { sha256 } from '../../test/support/build-wheel.ts'
import { serve } from '../../test/support/hostile-server.ts'
import { buildEvil } from './genuine.ts'
import type { HostileMirror } from './hostile-mirror.ts'

export interface ForgedRecord {
  /** The bin that lists it: `bins-3`. */
  readonly bin: string
  /** Its file, relative to the tree. */
  readonly file: string
  /** Path of the target. */
  readonly path: string
  /** What the bin would say of it. */
  readonly target: unknown
}

/** The file host plays along. The record lies in the published tree; no list names it yet. */
export async function forgeRecord(
  { world }: HostileMirror,
  thief: OnlineThief,
  [project, { bytes }]: readonly [string, TrialFile],
): Promise<ForgedRecord> {
  const { published, index } = world.trial
  const genuine = sha256(bytes)
  const folder = join(published, 'targets/simple', project)
  const records = readdirSync(folder).filter((name) => name.endsWith('.index.json'))
  const texts = records.map((name) => readFileSync(join(folder, name), 'utf8'))
  const text = texts.find((one) => one.includes(genuine)) ?? ''
  const evil = buildEvil(project, '1.1')
  index.on(`/files/${evil.filename}`, serve(evil.bytes))
  const path = `simple/${project}/index.json`
  const forged = text.replaceAll(genuine, evil.sha256)
  return {
    ...findBin(published, path),
    path,
    target: await thief.putTarget(path, encodeUtf8(forged)),
  }
}

function findBin(tree: string, path: string): { bin: string; file: string } {
  const names = readdirSync(join(tree, 'metadata'))
    .filter((name) => /^\d+\.bins-[0-9a-f]+\.json$/.test(name))
    .filter((name) => readFileSync(join(tree, 'metadata', name), 'utf8').includes(`"${path}"`))
    .toSorted((left, right) => Number.parseInt(left, 10) - Number.parseInt(right, 10))
  const [, bin = ''] = names.at(-1)?.split('.') ?? []
  return { bin, file: `metadata/${names.at(-1)}` }
}
