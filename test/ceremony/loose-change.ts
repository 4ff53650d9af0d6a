/** A change file as an attacker on its way alters it. */

import { decodeUtf8, encodeUtf8, type Bytes } from '../../src/base/bytes.ts'
import type { OfflineRole } from '../../src/mirror/role-names.ts'

/** What an attacker on the way of the file can reach: everything. */
export interface Loose {
  summary: string[]
  roots: LooseDraft[]
  previous: Record<'targets', LooseDraft>
  documents: Record<OfflineRole, LooseDraft>
}

interface LooseDraft {
  signed: LooseSigned
  signatures: { keyid: string; sig: string }[]
}

export interface LooseSigned {
  version: number
  expires: string
  consistent_snapshot: boolean
  keys: Record<string, object>
  roles: Record<'root', { keyids: string[]; threshold: number }>
  'x-tufgate': Record<string, Record<string, string>>
  targets: Record<string, object>
  delegations: {
    keys: Record<string, object>
    roles: {
      name: string
      keyids: string[]
      threshold: number
      paths: string[]
      terminating: boolean
    }[]
    succinct_roles: { name_prefix: string }
  }
}

export function alter(bytes: Bytes, change: (file: Loose) => void): Bytes {
  const file = JSON.parse(decodeUtf8(bytes)) as Loose
  change(file)
  return encodeUtf8(JSON.stringify(file))
}
