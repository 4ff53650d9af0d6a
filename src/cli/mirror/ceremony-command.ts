/** `tufgate mirror root key|new|sign|status|publish`: the ceremony of the keys that people hold. */

import { access, constants, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { toPrintable } from '../../base/bytes.ts'
import { ConfigError } from '../../base/errors.ts'
import {
  maxChangeFileBytes,
  parseChange,
  renderChange,
  type Change,
} from '../../ceremony/change-file.ts'
import { checkChange, requireTrustedRoot, type CheckedChange } from '../../ceremony/check-change.ts'
import { describeChange } from '../../ceremony/describe-change.ts'
import { mergeForSigners } from '../../ceremony/merge-changes.ts'
import { prepareChange } from '../../ceremony/prepare-change.ts'
import { publishChange, type PublishedChange } from '../../ceremony/publish-change.ts'
import { listSignedRoles, signChange } from '../../ceremony/sign-change.ts'
import { describeUnfit, requireFitting, unfitAdvice } from '../../ceremony/unfit-signatures.ts'
import { requireMirror } from '../../mirror/open-mirror.ts'
import { parseSignatures } from '../../signing/add-signature.ts'
import { writeFileAtomic } from '../../store/atomic-file.ts'
import { parseRootNewFlags, type RootNewFlags } from './ceremony-flags.ts'
import { describeSignatures, renderStatus } from './ceremony-report.ts'
import { askYes } from '../confirm.ts'
import { createMirrorContext } from './mirror-context.ts'
import { createReport } from './mirror-report.ts'
import { readExchanged } from '../owner-files.ts'
import {
  makePersonalKey,
  openPersonalSigner,
  type NewKeyFlags,
  type PersonalKeyFlags,
} from '../personal-key.ts'
import { note, say, sayJson, warn } from '../terminal.ts'

interface JsonFlag {
  readonly json?: boolean
}

export type RootKeyFlags = JsonFlag & NewKeyFlags

export interface RootSignFlags extends JsonFlag, PersonalKeyFlags {
  readonly root?: string
  readonly out?: string
  readonly yes?: boolean
}

export interface RootStatusFlags extends JsonFlag {
  /** Every change, however many there are. */
  readonly full?: boolean
}

const maxRootFileBytes = 512_000

export async function runRootKey(path: string, flags: RootKeyFlags): Promise<number> {
  const { keyid, publicPath, isEncrypted } = await makePersonalKey(path, flags)
  if (flags.json === true) {
    sayJson({ keyid, privateKey: path, publicKey: publicPath, encrypted: isEncrypted })
    return 0
  }
  say(`key id ${keyid}`)
  say(
    `${path}: the private key${isEncrypted ? ', encrypted' : ', NOT encrypted'}; it stays with you. Keep a copy elsewhere.`,
  )
  say(
    `${publicPath}: the public key, for whoever prepares the change; tell him the key id by another way.`,
  )
  return 0
}

/** The same that `init` says of its quick start. */
function warnOfLoss({ after }: CheckedChange): void {
  const { keyids, threshold } = after.root.roles.root
  if (threshold < keyids.length) return
  const what =
    keyids.length === 1 ? 'There is one root key' : `All ${threshold} root keys are needed`
  warn(
    `${what}: the loss of one ends the mirror, and every client must be given a new root by hand\n  Three people and a threshold of two survive a loss: --add-key root=FILE.pub ... --threshold root=2`,
  )
}

export async function runRootNew(directory: string, flags: RootNewFlags): Promise<number> {
  const { report } = createReport(flags)
  const asked = await parseRootNewFlags(flags)
  await requireNoFile(flags.output)
  const prepared = await prepareChange({ ...createMirrorContext(report), directory, ...asked })
  await writeFileAtomic(flags.output, prepared.bytes, { mode: 0o644 })
  warnOfLoss(prepared.checked)
  if (flags.json === true) {
    sayJson({ file: flags.output, newKeys: prepared.newKeys, ...renderStatus(prepared.checked) })
    return 0
  }
  for (const line of prepared.summary) say(line)
  say('')
  for (const line of describeSignatures(prepared.checked, { directory, file: flags.output }))
    say(line)
  say('')
  for (const role of prepared.newKeys) {
    say(`${directory}/keys/${role}.next.*: the new key of ${role}, in use from the publication on.`)
  }
  say(`${flags.output}: for those who are missing above, each on his own machine:`)
  say(`  tufgate mirror root sign ${flags.output} --key KEY`)
  return 0
}

/** Signatures that people have made are not overwritten by a new preparation. */
async function requireNoFile(path: string): Promise<void> {
  // Before anything is made: keys that wait for an earlier change would be gone for nothing.
  await access(dirname(path), constants.W_OK)
  const found = await stat(path).catch(() => undefined)
  if (found === undefined) return
  throw new ConfigError('CONFIG_INVALID', `${toPrintable(path)} exists already`, {
    next: 'Choose another name with -o, or remove it: there may be signatures in it.',
  })
}

export async function runRootSign(path: string, flags: RootSignFlags): Promise<number> {
  const checked = checkChange(await readChange(path))
  const outcome = flags.json === true ? note : say
  const descent = await describeDescent(checked, flags.root)
  const lines = describeChange(checked)
  for (const line of lines) outcome(line)
  outcome('')
  if (describeChange(checked, Infinity).length > lines.length) {
    outcome(`NOT ALL OF IT IS SHOWN. Read it first: tufgate mirror root status ${path} --full`)
  }
  outcome(descent)
  if (!(await isTakenAsAltered(checked, flags))) {
    outcome('Nothing was signed.')
    return 2
  }
  // After all that: nobody types a passphrase for what he has not seen.
  const signer = await openPersonalSigner(flags)
  const roles = listSignedRoles(checked, signer)
  outcome(`You sign ${roles.join(', ')} with the key ${signer.keyid}.`)
  if (!(await isConfirmed(flags))) {
    outcome('Nothing was signed.')
    return 1
  }
  const mine = checkChange(await signChange(checked, roles, signer))
  const signed = flags.out === undefined ? await withOthers(path, mine) : mine
  const target = flags.out ?? path
  await writeFileAtomic(target, renderChange(signed.change, describeChange(signed)), {
    mode: 0o644,
  })
  if (flags.json === true) {
    sayJson({ file: target, signed: roles, keyid: signer.keyid, ...renderStatus(signed) })
    return 0
  }
  say(`Signed: ${target}`)
  for (const line of describeSignatures(signed, { file: target })) say(line)
  return 0
}

/** While he read, somebody else may have signed in the same file. */
async function withOthers(path: string, mine: CheckedChange): Promise<CheckedChange> {
  const theirs = checkChange(await readChange(path))
  const copies = [
    { place: 'what you have signed', checked: mine },
    { place: `${path} as it is now`, checked: theirs },
  ]
  return checkChange(mergeForSigners(copies))
}

/** What the signer's own copy of a root says of the file. Throws ROOT_CHANGED where it is of another mirror. */
async function describeDescent(checked: CheckedChange, root: string | undefined): Promise<string> {
  if (root === undefined) {
    return `The root of now, version ${checked.before.root.version}, is the one in this file. Give a copy of your own with --root to be sure that it is the mirror's.`
  }
  const next = 'Name your own copy of a root of this mirror, such as 1.root.json.'
  const place = toPrintable(root, 500)
  const own = parseSignatures(await readExchanged(root, maxRootFileBytes, next), place)
  return `It descends from ${place} (root ${requireTrustedRoot(checked, own, root)}).`
}

/**
 * Whether it is signed in spite of signatures that are not of what it says now: a question of its own,
 * which no flag answers. Throws CONFIG_INVALID where nobody can be asked.
 */
async function isTakenAsAltered(checked: CheckedChange, { yes }: RootSignFlags): Promise<boolean> {
  const problem = describeUnfit(checked)
  if (problem === undefined) return true
  if (yes === true) requireFitting(checked)
  warn(`${problem}.\n  ${unfitAdvice}`)
  const answer = await askYes('Sign what it says now all the same?')
  if (answer === undefined) requireFitting(checked)
  return answer === true
}

async function isConfirmed({ yes }: RootSignFlags): Promise<boolean> {
  if (yes === true) return true
  const answer = await askYes('Sign this?')
  if (answer !== undefined) return answer
  throw new ConfigError('CONFIG_INVALID', 'Nobody is at a terminal to say yes', {
    next: 'Run it at a terminal, or add --yes once you have read what is signed.',
  })
}

export async function runRootStatus(path: string, flags: RootStatusFlags): Promise<number> {
  const checked = checkChange(await readChange(path))
  const maxLines = flags.full === true ? Infinity : undefined
  if (flags.json === true) {
    sayJson(renderStatus(checked, maxLines))
    return 0
  }
  for (const line of describeChange(checked, maxLines)) say(line)
  say('')
  for (const line of describeSignatures(checked, { file: path })) say(line)
  return 0
}

export async function runRootPublish(
  directory: string,
  paths: readonly string[],
  flags: JsonFlag,
): Promise<number> {
  const { report } = createReport(flags)
  // First: whoever forgets the folder has named a change in its place.
  await requireMirror(directory)
  const copies = []
  for (const place of paths) {
    const checked = checkChange(await readChange(place))
    copies.push({ place, checked })
    const problem = describeUnfit(checked)
    if (problem !== undefined) warn(`${toPrintable(place, 500)}: ${problem}; it does not count`)
  }
  const result = await publishChange({ ...createMirrorContext(report), directory, copies })
  if (flags.json === true) {
    const { newKeys, isRepeated, published } = result
    const documents = result.checked.documents.map(({ role, version }) => ({ role, version }))
    sayJson({ documents, newKeys, isRepeated, published })
    return 0
  }
  describePublished(directory, result)
  return 0
}

function describePublished(
  directory: string,
  { checked, isRepeated, newKeys, published }: PublishedChange,
): void {
  const documents = checked.documents.map(({ role, version }) => `${role} version ${version}`)
  const versions = `timestamp ${published?.timestamp ?? 'as before'}`
  say(`${isRepeated ? 'Published before' : 'Published'}: ${documents.join(', ')}; ${versions}`)
  for (const role of newKeys) {
    say(`${directory}/keys/${role}: the new key is in use; the old one is gone.`)
  }
}

async function readChange(path: string): Promise<Change> {
  const next = 'Name the file that tufgate mirror root new has made.'
  return parseChange(await readExchanged(path, maxChangeFileBytes, next), path)
}
