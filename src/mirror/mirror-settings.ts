/** What the operator of a mirror decides: which changes are signed, and which wait for a person. */

import type { Change, ChangeKind } from './change-kinds.ts'

/** `warn`: signed, and said. `hold`: it waits for a person, with everything else of its project. */
export type Answer = 'sign' | 'warn' | 'hold'

export type ChangePolicy = Readonly<Record<ChangeKind, Answer>>

/** What the index may do by itself is signed; what somebody could use against users waits. */
export const defaultChangePolicy: ChangePolicy = {
  'new-project': 'sign',
  'record-remade': 'warn',
  // Said and journalled; another digest for a signed name is never signed (`merge.ts`).
  'hash-changed': 'warn',
  'hash-restored': 'sign',
  'another-spelling': 'warn',
  'project-vanished': 'warn',
  'project-revived': 'hold',
  'many-removed': 'hold',
  'newest-removed': 'warn',
  'release-removed': 'sign',
  'file-removed': 'sign',
  'file-revived': 'hold',
  'late-file': 'hold',
  'file-added': 'sign',
  yanked: 'warn',
  unyanked: 'warn',
  // The signed one stays; whoever signs it, or decides himself, takes it over.
  'requires-python-changed': 'warn',
  'core-metadata-changed': 'warn',
  // A size that the index contradicted is not signed, whatever the answer.
  'size-changed': 'warn',
  'host-changed': 'warn',
  'status-changed': 'warn',
  'details-changed': 'sign',
}

export interface Judgement {
  /** Empty: the change is signed. */
  readonly held: readonly Change[]
  readonly warned: readonly Change[]
}

/** A project is signed whole or not at all: one change that is held holds all of it. */
export function judgeChanges(changes: readonly Change[], policy: ChangePolicy): Judgement {
  return {
    held: changes.filter(({ kind }) => policy[kind] === 'hold'),
    warned: changes.filter(({ kind }) => policy[kind] === 'warn'),
  }
}

export function isHeld(changes: readonly Change[], policy: ChangePolicy): boolean {
  return changes.some(({ kind }) => policy[kind] === 'hold')
}
