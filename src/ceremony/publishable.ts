/**
 * Whether a change can be put into force: enough signatures, as the clients count them, nothing that
 * has expired, and a state in which every document is good under the one that names its keys.
 */

import { toPrintable } from '../base/bytes.ts'
import { encodeCanonical } from '../base/canonical-json.ts'
import { formatUtcSeconds } from '../base/clock.ts'
import { ConfigError, VerifyError } from '../base/errors.ts'
import { binPrefix, requireBitLength } from '../mirror/bins.ts'
import type { OfflineRole, OnlineRole } from '../mirror/role-names.ts'
import type { RoleKeys, Targets } from '../tuf/metadata.ts'
import { acceptRoot, noFloors, trustRoot } from '../tuf/trusted-set.ts'
import type { CheckedChange, CheckedDocument } from './check-change.ts'
import { findOddClaim } from './claimed-document.ts'
import { renderDraft, type Draft } from './draft.ts'
import { collectChangeNames, renderNamedKey } from './key-names.ts'
import { requireSigned, rolesBelowRoot, type OfflineState } from './offline-state.ts'

/** All that the offline documents say, of which the bins are a part. */
export interface WholeState extends OfflineState {
  readonly claimed: Targets
  readonly bins: Targets
  /** TAP 15 */
  readonly bitLength: number
}

/** Key ids whose signature stands in one of the copies and is none. */
export type BadSignatures = ReadonlyMap<OfflineRole, readonly string[]>

/** Throws VerifyError or ConfigError: then the change must not be put into force. */
export function requirePublishable(
  checked: CheckedChange,
  published: ReadonlyMap<OfflineRole, Draft>,
  { now, bad }: { readonly now: number; readonly bad: BadSignatures },
): { readonly before: WholeState; readonly after: WholeState } {
  requireEnough(checked, bad)
  for (const document of checked.documents) requireUnexpired(document, now)
  requireSuccession(checked, published)
  const next = new Map([...published, ...checked.change.documents])
  const before = requireWhole(checked.before, published)
  const after = requireWhole(checked.after, next)
  requireServable(before, after)
  requireDelegators(after, next.get('claimed'))
  return { before, after }
}

/**
 * The mirror signs with one key for each role, and writes one shape of tree. In force, anything else
 * would stop every publication, and with it every later change.
 */
function requireServable(before: WholeState, after: WholeState): void {
  if (!after.root.consistentSnapshot) throw refuseShape('root', 'without consistent snapshots')
  for (const [role, { threshold }] of Object.entries(listOnlineRoles(after))) {
    if (threshold === 1) continue
    throw refuseShape(role, `with ${threshold} signatures of ${role}, which has one key here`)
  }
  if (describeScopes(before) === describeScopes(after)) return
  throw refuseShape('targets', 'with other delegations in targets than those that tufgate writes')
}

/** Clients look for whatever these delegate to or list, and stop where it is not there. */
function requireDelegators(
  { targets, claimed, bins }: WholeState,
  claimedDraft: Draft | undefined,
): void {
  for (const [role, document] of Object.entries({ targets, claimed, bins })) {
    if (document.targets.size > 0) throw refuseShape(role, `with files that ${role} itself lists`)
  }
  const odd = claimedDraft === undefined ? undefined : findOddClaim(claimedDraft.signed)
  if (odd === undefined) return
  throw refuseShape(
    'claimed',
    `with ${toPrintable(odd)} in claimed, which is no claim of a project`,
  )
}

function refuseShape(role: string, what: string): ConfigError {
  return new ConfigError('CONFIG_INVALID', `The mirror could not go on ${what}`, {
    role,
    next: 'Prepare the change anew with tufgate mirror root new, and ask who has altered this one.',
  })
}

function describeScopes({ targets: { delegations } }: WholeState): string {
  const roles = [...(delegations?.roles.values() ?? [])].map(({ name, terminating, scope }) => ({
    name,
    terminating,
    scope: scope.kind === 'patterns' ? scope.patterns.map(({ text }) => text) : scope.prefixes,
    kind: scope.kind,
  }))
  return encodeCanonical(roles)
}

/** All that is missing is said at once: people are asked for their signatures once. */
function requireEnough({ change, documents }: CheckedChange, bad: BadSignatures): void {
  const names = collectChangeNames(change)
  const nameAll = (keyids: readonly string[]): string =>
    [...new Set(keyids)].map((keyid) => renderNamedKey(keyid, names)).join(', ')
  const open = documents.flatMap(({ role, requirements }) =>
    requirements.filter(({ lacking }) => lacking > 0).map((lacking) => ({ role, ...lacking })),
  )
  const [first] = open
  if (first === undefined) return
  const problems = open.map(({ role, by, lacking }) => {
    const notGood = nameAll(bad.get(role) ?? [])
    return `${role} needs ${lacking} more ${lacking === 1 ? 'signature' : 'signatures'} by the keys of ${by}${notGood === '' ? '' : `; not good are the signatures by ${notGood}`}`
  })
  throw new VerifyError('SIGNATURE_THRESHOLD', problems.join('; '), {
    role: first.role,
    expected: open.map(({ by, threshold }) => `${threshold} of ${by}`).join(', '),
    found: open.map(({ by, signed }) => `${signed.length} of ${by}`).join(', '),
    next: `Who can sign: ${toPrintable(nameAll(open.flatMap(({ missing }) => missing)), 1500)}. Each signs with: tufgate mirror root sign FILE --key KEY`,
  })
}

function requireUnexpired({ role, expires }: CheckedDocument, now: number): void {
  if (expires > now) return
  throw new ConfigError('CONFIG_INVALID', `${role} in this change has expired already`, {
    role,
    expected: `after ${formatUtcSeconds(now)}`,
    found: formatUtcSeconds(expires),
    next: 'Prepare the change anew, and sign it sooner.',
  })
}

/** The very step that clients take (TUF 5.3). */
function requireSuccession(
  { change }: CheckedChange,
  published: ReadonlyMap<OfflineRole, Draft>,
): void {
  const next = change.documents.get('root')
  const current = published.get('root')
  if (next === undefined || current === undefined) return
  acceptRoot(trustRoot(renderDraft(current), noFloors), renderDraft(next))
}

function requireWhole(state: OfflineState, documents: ReadonlyMap<OfflineRole, Draft>): WholeState {
  const verified = new Map<OfflineRole, Targets>()
  for (const role of rolesBelowRoot) {
    const draft = documents.get(role)
    if (draft === undefined) throw new TypeError(`there is no ${role}`)
    verified.set(role, requireSigned(role, renderDraft(draft), state))
  }
  const [claimed, bins] = [verified.get('claimed'), verified.get('bins')]
  const bitLength = bins?.delegations?.bins?.bitLength
  if (claimed === undefined || bins === undefined || bitLength === undefined) {
    throw refuseBins('bins delegates to no bins')
  }
  if (bins.delegations?.bins?.namePrefix !== binPrefix) {
    throw refuseBins(`bins names its roles otherwise than ${binPrefix}-NN`)
  }
  requireBitLength(2 ** bitLength)
  return { ...state, claimed, bins, bitLength }
}

function refuseBins(message: string): VerifyError {
  return new VerifyError('MALFORMED', message, {
    role: 'bins',
    next: 'Prepare the change anew: tufgate mirror root new',
  })
}

/** Whose signatures clients will demand of each online role. */
export function listOnlineRoles({
  root,
  targets,
  bins,
}: WholeState): Readonly<Record<OnlineRole, RoleKeys>> {
  const nobody: RoleKeys = { keyids: [], threshold: 1 }
  const delegated = (role: OnlineRole): RoleKeys => targets.delegations?.roles.get(role) ?? nobody
  return {
    deny: delegated('deny'),
    'recently-claimed': delegated('recently-claimed'),
    'bins-nn': bins.delegations?.bins ?? nobody,
    snapshot: root.roles.snapshot,
    timestamp: root.roles.timestamp,
  }
}
