/** `tufgate owner key|claim|sign`: what a maintainer does on his own machine. */

import { resolve } from 'node:path'
import { toPrintable, type Bytes } from '../../base/bytes.ts'
import { formatUtcSeconds } from '../../base/clock.ts'
import { ConfigError } from '../../base/errors.ts'
import type { OwnerView } from '../../client/repository.ts'
import { buildClaim, maxClaimBytes, parseClaim, signClaim } from '../../owner/claim.ts'
import { addReleaseSignature, maxReleaseBytes, parseRelease } from '../../owner/release.ts'
import { requireGoodSignatures } from '../../owner/require-good-signatures.ts'
import { requireOwnerKey } from '../../owner/require-owner-key.ts'
import { reviewRelease } from '../../owner/review-release.ts'
import { signRelease } from '../../owner/sign-release.ts'
import { readPublicKeyFile } from '../../signing/public-key-file.ts'
import type { Signer } from '../../signing/signer.ts'
import { requireCount } from '../count-flag.ts'
import { readLocalFile } from '../local-files.ts'
import { readExchanged, writeExchanged } from '../owner-files.ts'
import { describeClaim, describeReview, describeSigned } from './owner-report.ts'
import { readIndexPage, readOwnerView, type SourceFlags } from './owner-sources.ts'
import { makePersonalKey, openPersonalSigner, type NewKeyFlags } from '../personal-key.ts'
import { requireProject } from '../project-flag.ts'
import { note, say, sayJson } from '../terminal.ts'
import { parseDuration } from '../units.ts'

export interface KeyFlags {
  readonly key?: string
  readonly publicKey?: string
  readonly passphraseFile?: string
}

export interface OwnerKeyFlags extends NewKeyFlags {
  readonly json?: boolean
}

export async function runOwnerKey(path: string, flags: OwnerKeyFlags): Promise<number> {
  const { keyid, publicPath, isEncrypted } = await makePersonalKey(path, flags)
  if (flags.json === true) {
    sayJson({ keyid, privateKey: path, publicKey: publicPath, encrypted: isEncrypted })
    return 0
  }
  say(`key id ${keyid}`)
  say(
    `${path}: the private key${isEncrypted ? ', encrypted' : ', NOT encrypted'}; it stays with you.`,
  )
  say(`${publicPath}: the public key, for others who claim the project with you.`)
  say(
    'Keep a copy of the private key elsewhere: if it is lost, only the operator of the mirror can give the project back.',
  )
  return 0
}

export interface OwnerClaimFlags extends KeyFlags {
  readonly coKey?: readonly string[]
  readonly oldKey?: string
  readonly threshold: string
  readonly add?: string
  readonly output?: string
}

export async function runOwnerClaim(
  rawProject: string | undefined,
  flags: OwnerClaimFlags,
): Promise<number> {
  const { add, oldKey } = flags
  if (add !== undefined) {
    const claim = await readExchanged(add, maxClaimBytes)
    for (const line of describeClaim(parseClaim(claim))) say(line)
    return putClaim(flags.output ?? add, await signClaim(claim, await openOwnerSigner(flags)))
  }
  const project = requireNamed(rawProject)
  const output = requireOutput(flags.output)
  const threshold = requireCount('--threshold', flags.threshold)
  const coKeys = await Promise.all((flags.coKey ?? []).map((path) => readPublicKeyFile(path)))
  const signer = await openOwnerSigner(flags)
  const keys = [signer, ...coKeys]
  const own = await buildClaim({ project, keys, threshold, now: Date.now() }, [signer])
  const claim =
    oldKey === undefined
      ? own
      : await signClaim(own, await openOwnerSigner({ ...flags, key: oldKey }))
  return putClaim(output, claim)
}

async function putClaim(path: string, bytes: Bytes): Promise<number> {
  await writeExchanged(path, bytes)
  const { claim, signatures } = parseClaim(bytes)
  say(`${path}: claim of ${claim.project}, ${claim.threshold} of ${claim.keys.size} keys sign`)
  const unsigned = [...claim.keys.keys()].filter((keyid) => !signatures.has(keyid))
  for (const keyid of claim.keys.keys()) {
    say(`  ${keyid} ${unsigned.includes(keyid) ? 'HAS NOT SIGNED YET' : 'has signed'}`)
  }
  say(
    unsigned.length > 0
      ? `Send it to whoever has the missing key: tufgate owner claim --add ${path} --key KEY`
      : `Send it to the operator of the mirror, with a first release: tufgate owner sign dist/* --project ${claim.project} ...`,
  )
  return 0
}

export interface OwnerSignFlags extends KeyFlags, SourceFlags {
  readonly project?: string
  readonly add?: string
  readonly claim?: string
  readonly output?: string
  readonly expires: string
  readonly onlyChecked?: boolean
  readonly signFiles?: boolean
  readonly htmlRecords?: boolean
  readonly yank?: readonly string[]
  readonly unyank?: readonly string[]
  readonly remove?: readonly string[]
  readonly json?: boolean
}

export async function runOwnerSign(
  paths: readonly string[],
  flags: OwnerSignFlags,
): Promise<number> {
  if (flags.add !== undefined) return addSignature(paths, flags, flags.add)
  const project = requireNamed(flags.project)
  const output = requireOutput(flags.output)
  const lifetimeMs = requireDuration(flags.expires)
  const local = await Promise.all(paths.map((path) => readLocalFile(resolve(path), project)))
  const view = await readOwnerView(project, flags)
  const page =
    flags.index === undefined
      ? undefined
      : await readIndexPage(project, { ...flags, index: flags.index })
  // The key is opened last: nobody types a passphrase for what is refused anyway.
  const signer = await openOwnerSigner(flags)
  await requireKeyOfOwner(project, { ...flags, view }, signer)
  const signed = await signRelease(
    {
      project,
      view,
      page,
      local,
      onlyChecked: flags.onlyChecked === true,
      yank: readYanks(flags.yank ?? []),
      unyank: flags.unyank ?? [],
      remove: flags.remove ?? [],
      now: Date.now(),
      lifetimeMs,
      signsFiles: flags.signFiles === true,
      signsHtml: flags.htmlRecords === true,
    },
    signer,
  )
  await writeExchanged(output, signed.release)
  if (flags.json === true) {
    const { draft, version, expires } = signed
    const { record: _, ...rest } = draft
    sayJson({ project, version, expires: formatUtcSeconds(expires), output, ...rest })
  } else {
    for (const line of describeSigned(project, signed, view)) say(line)
    say(`${output}: send it to the operator of the mirror.`)
  }
  return 0
}

/** What is signed is shown first, and compared with the files that are given. */
async function addSignature(
  paths: readonly string[],
  flags: OwnerSignFlags,
  path: string,
): Promise<number> {
  const bytes = await readExchanged(path, maxReleaseBytes)
  const release = parseRelease(bytes)
  const local = await Promise.all(
    paths.map((dist) => readLocalFile(resolve(dist), release.project)),
  )
  const review = reviewRelease(release, local)
  const tell = flags.json === true ? note : say
  for (const line of describeReview(review)) tell(line)
  const signer = await openOwnerSigner(flags)
  if (flags.mirror !== undefined) {
    const view = await readOwnerView(release.project, flags)
    const { owners } = view
    if (owners !== undefined) requireGoodSignatures('the release', release.targets, owners)
    await requireKeyOfOwner(release.project, { ...flags, view }, signer)
  }
  const output = flags.output ?? path
  await writeExchanged(output, await addReleaseSignature(bytes, signer))
  if (flags.json === true) {
    sayJson({ ...review, expires: formatUtcSeconds(review.expires), output, keyid: signer.keyid })
  } else say(`${output}: signed by ${signer.keyid} too`)
  return 0
}

async function requireKeyOfOwner(
  project: string,
  { claim, view: { owners } }: { readonly claim?: string; readonly view: OwnerView },
  { keyid }: Signer,
): Promise<void> {
  const handover =
    claim === undefined ? undefined : parseClaim(await readExchanged(claim, maxClaimBytes))
  requireOwnerKey({ project, owners, handover }, keyid)
}

/** `1.0` or `1.0=why`. */
function readYanks(yanks: readonly string[]): Map<string, string> {
  return new Map(
    yanks.map((yank) => {
      const at = yank.indexOf('=')
      return at === -1 ? [yank, ''] : [yank.slice(0, at), yank.slice(at + 1)]
    }),
  )
}

function openOwnerSigner(flags: KeyFlags): Promise<Signer> {
  const { key } = flags
  if (key === undefined) throw missing('--key', 'Name the key: --key maintainer.pem')
  return openPersonalSigner({ ...flags, key })
}

function requireNamed(raw: string | undefined): string {
  if (raw === undefined) throw missing('the project', 'Name it: --project NAME')
  return requireProject(raw)
}

function requireOutput(output: string | undefined): string {
  if (output !== undefined) return output
  throw missing('-o', 'Say where to write it: -o FILE')
}

function missing(what: string, next: string): ConfigError {
  return new ConfigError('CONFIG_INVALID', `${what} is missing.`, { next })
}

const dayMs = 86_400_000

function requireDuration(raw: string): number {
  const duration = parseDuration(raw)
  if (duration !== undefined && duration >= dayMs) return duration
  throw new ConfigError('CONFIG_INVALID', `--expires ${toPrintable(raw)} is not possible.`, {
    expected: 'a duration of a day or more, such as 365d',
  })
}
