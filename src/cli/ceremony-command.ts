/** `tufgate mirror root key|new|sign|status|publish`: the ceremony of the keys that people hold. */

import { open, stat } from 'node:fs/promises'
import { toPrintable, type Bytes } from '../base/bytes.ts'
import { ConfigError } from '../base/errors.ts'
import { maxChangeFileBytes, parseChange, renderChange } from '../ceremony/change-file.ts'
import { checkChange, requireTrustedRoot, type CheckedChange } from '../ceremony/check-change.ts'
import { describeChange } from '../ceremony/describe-change.ts'
import { parseDraft } from '../ceremony/draft.ts'
import { prepareChange } from '../ceremony/prepare-change.ts'
import { publishChange, type PublishedChange } from '../ceremony/publish-change.ts'
import { listSignedRoles, signChange } from '../ceremony/sign-change.ts'
import { buildPrivateKey, publicKeyPath, putKeyFile } from '../signing/key-file.ts'
import { openSigner } from '../signing/open-signer.ts'
import { chooseAskPassphrase, type AskPassphrase } from '../signing/passphrase.ts'
import { readPublicKeyFile } from '../signing/public-key-file.ts'
import type { Signer } from '../signing/signer.ts'
import { askNewPassphrase, askOnTerminal } from '../signing/terminal-passphrase.ts'
import { writeFileAtomic } from '../store/atomic-file.ts'
import { parseRootNewFlags, type RootNewFlags } from './ceremony-flags.ts'
import { describeSignatures, renderStatus } from './ceremony-report.ts'
import { askYes } from './confirm.ts'
import { requireKeyKind } from './key-kind.ts'
import { createMirrorContext } from './mirror-context.ts'
import { createReport } from './mirror-report.ts'
import { note, say, sayJson } from './terminal.ts'

interface JsonFlag {
  readonly json?: boolean
}

export interface RootKeyFlags extends JsonFlag {
  readonly type: string
  /** `false` for --no-passphrase. */
  readonly passphrase: boolean
  readonly passphraseFile?: string
}

export interface RootSignFlags extends JsonFlag {
  readonly key: string
  readonly publicKey?: string
  readonly passphraseFile?: string
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
  const kind = requireKeyKind(flags.type)
  const passphrase = flags.passphrase ? await requireNewPassphrase(path, flags) : undefined
  const key = await buildPrivateKey(kind)
  await putKeyFile(path, key, passphrase === undefined ? {} : { passphrase })
  const publicPath = publicKeyPath(path)
  const { keyid } = await readPublicKeyFile(publicPath)
  if (flags.json === true) {
    sayJson({ keyid, privateKey: path, publicKey: publicPath, encrypted: passphrase !== undefined })
    return 0
  }
  say(`key id ${keyid}`)
  say(
    `${path}: the private key${passphrase === undefined ? ', NOT encrypted' : ', encrypted'}; it stays with you. Keep a copy elsewhere.`,
  )
  say(
    `${publicPath}: the public key, for whoever prepares the change; tell him the key id by another way.`,
  )
  return 0
}

async function requireNewPassphrase(path: string, flags: RootKeyFlags): Promise<string> {
  const ask = chooseAskPassphrase(passphraseSources(flags), () => askNewPassphrase(path))
  const passphrase = await ask({ place: path, isRetry: false })
  if (passphrase !== undefined && passphrase !== '') return passphrase
  throw new ConfigError('KEY_INVALID', `There is no passphrase for ${toPrintable(path)}`, {
    next: 'Run the command at a terminal, name a file of mode 0600 with --passphrase-file FILE, or say --no-passphrase.',
  })
}

function passphraseSources({
  passphraseFile,
}: {
  readonly passphraseFile?: string
}): Parameters<typeof chooseAskPassphrase>[0] {
  return { environment: process.env, ...(passphraseFile !== undefined && { passphraseFile }) }
}

export async function runRootNew(directory: string, flags: RootNewFlags): Promise<number> {
  const { report } = createReport(flags)
  const asked = await parseRootNewFlags(flags)
  await requireNoFile(flags.output)
  const prepared = await prepareChange({ ...createMirrorContext(report), directory, ...asked })
  await writeFileAtomic(flags.output, prepared.bytes, { mode: 0o644 })
  if (flags.json === true) {
    sayJson({ file: flags.output, newKeys: prepared.newKeys, ...renderStatus(prepared.checked) })
    return 0
  }
  for (const line of prepared.summary) say(line)
  say('')
  for (const line of describeSignatures(prepared.checked)) say(line)
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
  const found = await stat(path).catch(() => undefined)
  if (found === undefined) return
  throw new ConfigError('CONFIG_INVALID', `${toPrintable(path)} exists already`, {
    next: 'Choose another name with -o, or remove it: there may be signatures in it.',
  })
}

export async function runRootSign(path: string, flags: RootSignFlags): Promise<number> {
  const checked = checkChange(parseChange(await readLimited(path, maxChangeFileBytes), path))
  const { root } = flags
  if (root !== undefined) {
    requireTrustedRoot(checked, parseDraft(await readLimited(root, maxRootFileBytes)), root)
  }
  const signer = await openPersonalSigner(flags)
  const roles = listSignedRoles(checked, signer)
  const outcome = flags.json === true ? note : say
  for (const line of describeChange(checked)) outcome(line)
  outcome('')
  if (root === undefined) warnOfRoot(checked, outcome)
  outcome(`You sign ${roles.join(', ')} with the key ${signer.keyid}.`)
  if (!(await isConfirmed(flags))) {
    outcome('Nothing was signed.')
    return 1
  }
  const signed = checkChange(await signChange(checked, roles, signer))
  const target = flags.out ?? path
  await writeFileAtomic(target, renderChange(signed.change, describeChange(signed)), {
    mode: 0o644,
  })
  if (flags.json === true) {
    sayJson({ file: target, signed: roles, keyid: signer.keyid, ...renderStatus(signed) })
    return 0
  }
  say(`Signed: ${target}`)
  for (const line of describeSignatures(signed)) say(line)
  return 0
}

function warnOfRoot({ before }: CheckedChange, outcome: (line: string) => void): void {
  outcome(
    `The root of now, version ${before.root.version}, is the one in this file. Give a copy of your own with --root to be sure that it is the mirror's.`,
  )
}

function openPersonalSigner(flags: RootSignFlags): Promise<Signer> {
  const askPassphrase: AskPassphrase = chooseAskPassphrase(passphraseSources(flags), askOnTerminal)
  const { publicKey } = flags
  return openSigner(flags.key, {
    askPassphrase,
    ...(publicKey !== undefined && { publicKeyPath: publicKey }),
  })
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
  const checked = checkChange(parseChange(await readLimited(path, maxChangeFileBytes), path))
  const maxLines = flags.full === true ? Infinity : undefined
  if (flags.json === true) {
    sayJson(renderStatus(checked, maxLines))
    return 0
  }
  for (const line of describeChange(checked, maxLines)) say(line)
  say('')
  for (const line of describeSignatures(checked)) say(line)
  return 0
}

export async function runRootPublish(
  directory: string,
  paths: readonly string[],
  flags: JsonFlag,
): Promise<number> {
  const { report } = createReport(flags)
  const copies = []
  for (const place of paths) {
    const change = parseChange(await readLimited(place, maxChangeFileBytes), place)
    copies.push({ place, checked: checkChange(change) })
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

/** Throws CONFIG_INVALID where it is longer than any such file. */
async function readLimited(path: string, maxBytes: number): Promise<Bytes> {
  const handle = await open(path, 'r')
  try {
    const { size } = await handle.stat()
    if (size <= maxBytes) return await handle.readFile()
  } finally {
    await handle.close()
  }
  throw new ConfigError('CONFIG_INVALID', `${toPrintable(path)} is too large`, {
    expected: `at most ${maxBytes} bytes`,
  })
}
