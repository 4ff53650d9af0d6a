/**
 * `mirror init`: makes the keys and the first, empty, valid tree.
 *
 * The offline keys go to a folder of their own, which belongs on another medium before anything is
 * published. Nothing is overwritten: where a mirror is, this refuses.
 */

import { join, resolve, sep } from 'node:path'
import type { Bytes } from '../base/bytes.ts'
import type { Json } from '../base/canonical-json.ts'
import { sha256Hex } from '../base/digest.ts'
import { ConfigError } from '../base/errors.ts'
import { signEnvelope } from '../signing/envelope.ts'
import { buildPrivateKey, makeKeyFolder, putKeyFile, type KeyKind } from '../signing/key-file.ts'
import { buildSigner, type Signer } from '../signing/signer.ts'
import { makeFolder, requireVacant } from '../store/published-tree.ts'
import { chooseBitLength, renderBin, requireBitLength } from './bins.ts'
import {
  buildBins,
  buildDelegator,
  buildListing,
  buildRoot,
  buildTargets,
  type DelegatedKeys,
  type RoleHeader,
} from './metadata-documents.ts'
import type { OnlineSigners } from './online-signers.ts'
import { keysFolder, openParts, type Mirror, type MirrorContext } from './open-mirror.ts'
import { publishMirror } from './publish.ts'
import { updateProjectList } from './published-list.ts'
import type { OnlineRole } from './role-names.ts'
import { dayMs, settings } from './settings.ts'
import { putShape, type Shape } from './shape.ts'
import { metadataPath } from './tree-layout.ts'
import { dropUnfinished, putUnfinished, requireFinished } from './unfinished.ts'

export interface InitOptions extends MirrorContext {
  readonly directory: string
  /** Default: `<directory>-offline-keys`. */
  readonly offlineKeysDirectory?: string
  readonly keyKind?: KeyKind
  /** Default 1 of 1. */
  readonly rootKeys?: number
  readonly rootThreshold?: number
  /** How many projects are to be expected; the number of bins follows from it. Default 1000. */
  readonly projects?: number
  readonly bins?: number
  /** Default 24 h. */
  readonly maxUnseenMs?: number
  /** Publish a signed list of all projects. */
  readonly hasProjectList?: boolean
  readonly shape?: Partial<Shape>
}

export interface InitResult {
  /** sha256 of `1.root.json`: what a client pins. */
  readonly rootSha256: string
  readonly rootPath: string
  readonly offlineKeysDirectory: string
  readonly bins: number
}

/** ms */
const lifetimes = {
  offline: 365 * dayMs,
  bin: 7 * dayMs,
  snapshot: 7 * dayMs,
  timestamp: dayMs,
}
const maxRootKeys = 20
const stagedAtOnce = 64

interface Plan {
  readonly rootKeys: number
  readonly rootThreshold: number
  readonly bitLength: number
  readonly offlineDirectory: string
}

export async function initMirror(options: InitOptions): Promise<InitResult> {
  const plan = requirePlan(options)
  await makeFolders(options.directory, plan.offlineDirectory)
  const mirror = await openParts(options.directory, options)
  try {
    putSettings(mirror, options, plan)
    const kind = options.keyKind ?? 'ed25519'
    const online = await makeOnlineKeys(join(options.directory, keysFolder), kind)
    const offline = await makeOfflineKeys(plan, kind)
    const now = mirror.clock()
    const root = await publishOffline(mirror, plan, { online, offline, now })
    await publishEmptyBins(mirror, plan, online['bins-nn'], now)
    await updateProjectList(mirror, now)
    await publishMirror(mirror, online, { now, isTimestampDue: true })
    dropUnfinished(options.directory)
    return describe(mirror, plan, root)
  } finally {
    await mirror.close()
  }
}

/** The keys' first: where they cannot be, nothing of the mirror is made. */
async function makeFolders(directory: string, offlineDirectory: string): Promise<void> {
  await requireFinished(directory)
  const nameOther = `Name an empty folder for the offline keys, such as: --offline-keys ${join(offlineDirectory, 'tufgate-keys')}`
  await requireVacant(directory, 'Choose another folder, or move the mirror that is there away.')
  await requireVacant(offlineDirectory, nameOther)
  if (`${resolve(offlineDirectory)}${sep}`.startsWith(`${resolve(directory)}${sep}`)) {
    throw new ConfigError('CONFIG_INVALID', 'The offline keys would lie in the mirror itself', {
      found: offlineDirectory,
      next: 'Name a folder elsewhere, best on a medium of its own: --offline-keys FOLDER',
    })
  }
  await makeKeyFolder(offlineDirectory, () => nameOther)
  await makeFolder(directory)
  await putUnfinished(directory, offlineDirectory)
}

function requirePlan(options: InitOptions): Plan {
  const { rootKeys = 1, rootThreshold = Math.min(rootKeys, Math.floor(rootKeys / 2) + 1) } = options
  const isPossible =
    Number.isSafeInteger(rootKeys) &&
    Number.isSafeInteger(rootThreshold) &&
    rootThreshold >= 1 &&
    rootThreshold <= rootKeys &&
    rootKeys <= maxRootKeys
  if (!isPossible) {
    throw new ConfigError(
      'CONFIG_INVALID',
      `${rootThreshold} of ${rootKeys} root keys is not possible`,
      {
        expected: `1 to ${maxRootKeys} keys, and a threshold of at most as many`,
        found: `${rootThreshold} of ${rootKeys}`,
        next: '3 keys with a threshold of 2 survive the loss of one and the theft of one.',
      },
    )
  }
  const { bins, projects = 1000 } = options
  return {
    rootKeys,
    rootThreshold,
    bitLength: bins === undefined ? chooseBitLength(projects) : requireBitLength(bins),
    offlineDirectory: options.offlineKeysDirectory ?? `${options.directory}-offline-keys`,
  }
}

function putSettings(mirror: Mirror, options: InitOptions, { bitLength }: Plan): void {
  mirror.ledger.database.transaction(() => {
    mirror.settings.put(settings.bitLength, bitLength)
    mirror.settings.put(settings.maxUnseenMs, options.maxUnseenMs ?? dayMs)
    mirror.settings.put(settings.hasProjectList, options.hasProjectList === true)
    putShape(mirror.settings, options.shape ?? {})
    mirror.settings.put(settings.binLifetimeMs, lifetimes.bin)
    mirror.settings.put(settings.snapshotLifetimeMs, lifetimes.snapshot)
    mirror.settings.put(settings.timestampLifetimeMs, lifetimes.timestamp)
  })
}

interface OfflineSigners {
  readonly root: readonly Signer[]
  readonly targets: Signer
  readonly claimed: Signer
  readonly bins: Signer
}

async function makeKey(folder: string, name: string, kind: KeyKind): Promise<Signer> {
  const path = join(folder, name)
  const key = await buildPrivateKey(kind)
  await putKeyFile(path, key)
  return buildSigner(key, path)
}

async function makeOnlineKeys(folder: string, kind: KeyKind): Promise<OnlineSigners> {
  const make = (role: OnlineRole): Promise<Signer> => makeKey(folder, `${role}.pem`, kind)
  return {
    deny: await make('deny'),
    'recently-claimed': await make('recently-claimed'),
    'bins-nn': await make('bins-nn'),
    snapshot: await make('snapshot'),
    timestamp: await make('timestamp'),
  }
}

async function makeOfflineKeys(
  { rootKeys, offlineDirectory }: Plan,
  kind: KeyKind,
): Promise<OfflineSigners> {
  const root: Signer[] = []
  for (let at = 1; at <= rootKeys; at += 1) {
    root.push(await makeKey(offlineDirectory, `root-${at}.pem`, kind))
  }
  return {
    root,
    targets: await makeKey(offlineDirectory, 'targets.pem', kind),
    claimed: await makeKey(offlineDirectory, 'claimed.pem', kind),
    bins: await makeKey(offlineDirectory, 'bins.pem', kind),
  }
}

interface FirstSigning {
  readonly online: OnlineSigners
  readonly offline: OfflineSigners
  readonly now: number
}

/** root, targets, claimed and bins: what a person signs. The bytes of the root. */
async function publishOffline(
  mirror: Mirror,
  { rootThreshold, bitLength }: Plan,
  { online, offline, now }: FirstSigning,
): Promise<Bytes> {
  const header: RoleHeader = { version: 1, expires: now + lifetimes.offline }
  const root = buildRoot(header, {
    root: keysOf(offline.root, rootThreshold),
    timestamp: keysOf([online.timestamp]),
    snapshot: keysOf([online.snapshot]),
    targets: keysOf([offline.targets]),
  })
  const targets = buildTargets(header, {
    deny: keysOf([online.deny]),
    claimed: keysOf([offline.claimed]),
    'recently-claimed': keysOf([online['recently-claimed']]),
    bins: keysOf([offline.bins]),
  })
  const bins = buildBins(header, keysOf([online['bins-nn']]), bitLength)
  const put = (name: string, signed: Json, signers: readonly Signer[]): Promise<Bytes> =>
    putFirst(mirror, { ...header, name }, signed, signers)
  await put('targets', targets, [offline.targets])
  await put('claimed', buildDelegator(header, []), [offline.claimed])
  await put('bins', bins, [offline.bins])
  return put('root', root, offline.root)
}

function keysOf(signers: readonly Signer[], threshold = 1): DelegatedKeys {
  return { keys: new Map(signers.map(({ keyid, key }) => [keyid, key])), threshold }
}

async function putFirst(
  mirror: Mirror,
  { name, version, expires }: RoleHeader & { readonly name: string },
  signed: Json,
  signers: readonly Signer[],
): Promise<Bytes> {
  const bytes = await signEnvelope(signed, signers)
  await mirror.tree.stage(metadataPath(name, version), bytes, { hasTwin: true })
  await mirror.tree.publish()
  mirror.roles.add({ name, version, expires, length: bytes.length, sha256: sha256Hex(bytes) })
  return bytes
}

/** All 2^n of them are there from the start (TAP 15), each in its first version. */
async function publishEmptyBins(
  mirror: Mirror,
  { bitLength }: Plan,
  signer: Signer,
  now: number,
): Promise<void> {
  const header: RoleHeader = { version: 1, expires: now + lifetimes.bin }
  const signed = buildListing(header, [])
  // Nothing in it names the bin: the same bytes for all of them.
  const bytes = await signEnvelope(signed, [signer])
  const digest = { length: bytes.length, sha256: sha256Hex(bytes) }
  const names = Array.from({ length: 2 ** bitLength }, (_, bin) => renderBin(bin, bitLength))
  for (const [at, name] of names.entries()) {
    await mirror.tree.stage(metadataPath(name, 1), bytes, { hasTwin: true })
    // What is staged is held open: thousands at once would be too many.
    if (at % stagedAtOnce === 0) await mirror.tree.publish()
  }
  await mirror.tree.publish()
  mirror.ledger.database.transaction(() => {
    for (const [bin, name] of names.entries()) {
      mirror.roles.add({ name, bin, ...header, ...digest })
    }
    // publishMirror makes their first versions.
    for (const name of ['deny', 'recently-claimed', 'snapshot', 'timestamp']) {
      mirror.roles.add({ name, version: 0, expires: 0, length: 0, sha256: '' })
    }
  })
}

function describe(mirror: Mirror, plan: Plan, root: Bytes): InitResult {
  const rootSha256 = sha256Hex(root)
  const rootPath = join(mirror.tree.folder, metadataPath('root', 1))
  const { offlineDirectory, rootKeys, rootThreshold, bitLength } = plan
  const say = (message: string): void => mirror.report({ kind: 'note', message })
  say(
    `Clients pin ${rootPath}, sha256 ${rootSha256}: copy it to them by another way than this mirror.`,
  )
  say(`Serve ${mirror.tree.folder} with any static server.`)
  say(
    `Move ${offlineDirectory} (root, targets, claimed, bins) to a medium that you then disconnect, and keep a copy elsewhere.`,
  )
  if (rootKeys === 1) {
    mirror.report({
      kind: 'warning',
      message:
        'There is one root key: whoever steals it owns every client, and if it is lost they must all be given a new root by hand',
      next: 'For anything but a trial put it into the hands of several people: each makes a key of his own, then mirror root new adds them. docs/mirror-runbook.md shows how.',
    })
  } else if (rootThreshold === rootKeys) {
    mirror.report({
      kind: 'warning',
      message: `All ${rootKeys} root keys are needed: the loss of one ends the mirror`,
      next: 'A threshold below the number of keys survives a loss.',
    })
  }
  return { rootSha256, rootPath, offlineKeysDirectory: offlineDirectory, bins: 2 ** bitLength }
}
