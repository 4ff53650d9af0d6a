/** Who has signed a change and who is missing, as lines and as JSON. */

import { toPrintable } from '../base/bytes.ts'
import { formatUtcSeconds } from '../base/clock.ts'
import {
  isComplete,
  type CheckedChange,
  type CheckedDocument,
  type Requirement,
} from '../ceremony/check-change.ts'
import { describeChange } from '../ceremony/describe-change.ts'
import { collectKeyNames, renderKeyName, type KeyNames } from '../ceremony/key-names.ts'

export function describeSignatures(checked: CheckedChange): string[] {
  const names = readNames(checked)
  return [
    ...checked.documents.flatMap((document) => describeDocument(document, names)),
    describeOutcome(checked),
  ]
}

/** What people call their keys: signed in root and targets, of now and of the change. */
function readNames({ change }: CheckedChange): KeyNames {
  const drafts = [
    ...change.roots.slice(-1),
    ...change.previous.values(),
    ...change.documents.values(),
  ]
  return collectKeyNames(drafts.map(({ signed }) => signed))
}

function describeDocument(document: CheckedDocument, names: KeyNames): string[] {
  const { role, version, requirements, bad, idle } = document
  return [
    `${role} version ${version}`,
    ...requirements.flatMap((requirement) => describeRequirement(requirement, names)),
    ...bad.map(
      (keyid) => `  NOT GOOD   ${nameKey(keyid, names)}: its signature is not of this ${role}`,
    ),
    ...idle.map((keyid) => `  no use     ${nameKey(keyid, names)}: has no say in ${role}`),
  ]
}

function describeRequirement(requirement: Requirement, names: KeyNames): string[] {
  const { by, threshold, signed, missing, lacking } = requirement
  const state = lacking === 0 ? 'enough' : `${lacking} more`
  const total = signed.length + missing.length
  return [
    `  ${threshold} of ${total} keys of ${by}: ${state}`,
    ...signed.map((keyid) => `    signed   ${nameKey(keyid, names)}`),
    ...(lacking === 0 ? [] : missing.map((keyid) => `    missing  ${nameKey(keyid, names)}`)),
  ]
}

function nameKey(keyid: string, names: KeyNames): string {
  const name = names.get(keyid)
  return `${toPrintable(keyid)}${name === undefined ? '' : ` (${renderKeyName(name)})`}`
}

function describeOutcome(checked: CheckedChange): string {
  if (isComplete(checked)) {
    return 'Nothing is missing. Publish it with: tufgate mirror root publish DIR FILE'
  }
  const open = checked.documents.filter(({ requirements }) =>
    requirements.some(({ lacking }) => lacking > 0),
  )
  return `Not ready: ${open.map(({ role }) => role).join(', ')} not signed by enough keys.`
}

/** Everything in it comes from the signed bytes. */
export function renderStatus(checked: CheckedChange, maxLines?: number): object {
  return {
    ready: isComplete(checked),
    changes: describeChange(checked, maxLines),
    documents: checked.documents.map((document) => ({
      role: document.role,
      version: document.version,
      expires: formatUtcSeconds(document.expires),
      requirements: document.requirements,
      bad: document.bad,
      idle: document.idle,
    })),
  }
}
