/** Projects that sign for themselves (PEP 480), as the online role `recently-claimed` names them. */

import { readMap, readMember, readObject, readString } from '../base/decode.ts'
import { ConfigError } from '../base/errors.ts'
import { keySchemes, type PublicKey } from '../signing/public-key.ts'
import { ownerPaths, ownerRole } from '../simple/project-targets.ts'
import { readInteger, readText, type Row } from '../store/database.ts'
import type { Delegation } from './metadata-documents.ts'
import type { Mirror } from './open-mirror.ts'

/** In order of the names. */
export function listRecentClaims({ ledger }: Mirror): Delegation[] {
  const sql = `SELECT project, keys, threshold FROM claim WHERE state = 'recent' ORDER BY project`
  return ledger.database.all(sql).map(readDelegation)
}

/** Terminating: what its owner does not list must not be found further down (PEP 480). */
function readDelegation(row: Row): Delegation {
  const project = readText(row, 'project')
  return {
    name: ownerRole(project),
    paths: ownerPaths(project),
    terminating: true,
    keys: readMap(JSON.parse(readText(row, 'keys')), readKey),
    threshold: readInteger(row, 'threshold'),
  }
}

function readKey(value: unknown): PublicKey {
  const key = readObject(value)
  const scheme = keySchemes.get(readMember(key, 'scheme', readString))
  if (scheme === undefined) throw new ConfigError('KEY_INVALID', 'A claim holds an unknown key')
  const keyval = readMember(key, 'keyval', readObject)
  return { ...scheme, keyval: { public: readMember(keyval, 'public', readString) } }
}
