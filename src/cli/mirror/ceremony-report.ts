/** Who has signed a change and who is missing, as lines and as JSON. */

import { formatUtcSeconds } from '../../base/clock.ts'
import {
  isComplete,
  type CheckedChange,
  type CheckedDocument,
  type Requirement,
} from '../../ceremony/check-change.ts'
import { describeChange } from '../../ceremony/describe-change.ts'
import { collectChangeNames, renderNamedKey, type KeyNames } from '../../ceremony/key-names.ts'
import { describeUnfit } from '../../ceremony/unfit-signatures.ts'

/** Where the change is, and where it is published; a signer does not know the folder of the mirror. */
export interface ChangePlaces {
  readonly file: string
  readonly directory?: string
}

export function describeSignatures(checked: CheckedChange, places: ChangePlaces): string[] {
  const names = collectChangeNames(checked.change)
  const unfit = describeUnfit(checked)
  return [
    ...checked.documents.flatMap((document) => describeDocument(document, names)),
    ...(unfit === undefined ? [] : [`${unfit}.`]),
    describeOutcome(checked, places),
  ]
}

function describeDocument(document: CheckedDocument, names: KeyNames): string[] {
  const { role, version, requirements, bad, idle } = document
  return [
    `${role} version ${version}`,
    ...requirements.flatMap((requirement) => describeRequirement(requirement, names)),
    ...bad.map(
      (keyid) =>
        `  NOT GOOD   ${renderNamedKey(keyid, names)}: its signature is not of this ${role}`,
    ),
    ...idle.map((keyid) => `  no use     ${renderNamedKey(keyid, names)}: has no say in ${role}`),
  ]
}

function describeRequirement(requirement: Requirement, names: KeyNames): string[] {
  const { by, threshold, signed, missing, lacking } = requirement
  const state = lacking === 0 ? 'enough' : `${lacking} ${lacking === 1 ? 'is' : 'are'} missing`
  const total = signed.length + missing.length
  return [
    `  needs ${threshold} of ${total} ${total === 1 ? 'key' : 'keys'} of ${by}: ${state}`,
    ...signed.map((keyid) => `    signed   ${renderNamedKey(keyid, names)}`),
    ...(lacking === 0
      ? []
      : missing.map((keyid) => `    missing  ${renderNamedKey(keyid, names)}`)),
  ]
}

function describeOutcome(
  checked: CheckedChange,
  { file, directory = 'FOLDER' }: ChangePlaces,
): string {
  if (isComplete(checked)) {
    return `Nothing is missing. Publish it where the mirror is: tufgate mirror root publish ${directory} ${file}`
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
