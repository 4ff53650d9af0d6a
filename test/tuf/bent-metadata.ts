/** Good metadata of every role, and ways to bend it. */

import { encodeUtf8, type Bytes } from '../../src/base/bytes.ts'
import type { Targets } from '../../src/tuf/metadata.ts'
import {
  parseRoot,
  parseSnapshot,
  parseTargets,
  parseTimestamp,
  type Unverified,
} from '../../src/tuf/parse.ts'
import { TufSimulator } from '../support/tuf-simulator.ts'

export type Tree = { [name: string]: Tree } & Tree[]

export const parsers = {
  root: parseRoot,
  timestamp: parseTimestamp,
  snapshot: parseSnapshot,
  targets: (bytes: Bytes): Unverified<Targets> => parseTargets(bytes, 'targets'),
}
export type Role = keyof typeof parsers
export const roles = Object.keys(parsers) as Role[]

export const simulator = new TufSimulator({ hashes: true })
simulator.delegate('team', { paths: ['team/*'] })
simulator.addTarget('simple/foo/index.json', 'foo')
simulator.publish()
simulator.timestamp['x-tufgate'] = {
  signed: '2026-06-01T12:00:00Z',
  'index-seen': '2026-06-01T11:00:00Z',
}

export const good: Record<Role, string> = {
  root: new TextDecoder().decode(simulator.render('root')),
  timestamp: new TextDecoder().decode(simulator.render('timestamp')),
  snapshot: new TextDecoder().decode(simulator.render('snapshot')),
  targets: new TextDecoder().decode(simulator.render('targets')),
}

/** The bytes of a role, bent by `bend` and signed by nobody any more: form comes before signatures. */
export function bent(role: Role, bend: (document: Tree) => void): Bytes {
  const document = JSON.parse(good[role]) as Tree
  bend(document)
  return encodeUtf8(JSON.stringify(document))
}

/** Sets the member at the end of the path to a value that no type would allow. */
export function set(path: string, value: unknown): (document: Tree) => void {
  return (document) => {
    const names = path.split('/')
    const last = names.pop() ?? ''
    let at: Tree = document
    for (const name of names) at = (name === '*' ? Object.values(at)[0] : at[name]) as Tree
    const name = last === '*' ? (Object.keys(at)[0] ?? '') : last
    if (value === undefined) Reflect.deleteProperty(at, name)
    else
      Object.defineProperty(at, name, {
        value,
        enumerable: true,
        configurable: true,
        writable: true,
      })
  }
}
