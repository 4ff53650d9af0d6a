/** A maintainer with his keys, who signs from what the real client sees of a mirror in a folder. */

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Bytes } from '../../src/base/bytes.ts'
import type { OwnerView, Repository } from '../../src/client/repository.ts'
import { buildClaim, signClaim } from '../../src/owner/claim.ts'
import type { LocalFile } from '../../src/owner/local-file.ts'
import { signRelease, type SignedRelease, type SignOptions } from '../../src/owner/sign-release.ts'
import { buildPrivateKey, type KeyKind } from '../../src/signing/key-file.ts'
import { buildSigner, type Signer } from '../../src/signing/signer.ts'
import type { ProjectFile } from '../../src/simple/model.ts'
import { openFolderSource } from '../../src/store/folder-source.ts'
import { openCheckClient } from '../../src/watch/check-client.ts'
import { createForgetfulStorage } from '../../src/watch/client-state.ts'
import { digestOf } from '../mirror/mirror-fixture.ts'

export const dayMs = 86_400_000

export async function createKey(kind: KeyKind = 'ed25519'): Promise<Signer> {
  return buildSigner(await buildPrivateKey(kind), 'a test key')
}

export interface ClaimParts {
  readonly threshold?: number
  readonly now: number
  readonly old?: readonly Signer[]
}

/** Signed by all of the new keys, and by the old ones. */
export async function claimFor(
  project: string,
  keys: readonly Signer[],
  { threshold = 1, now, old = [] }: ClaimParts,
): Promise<Bytes> {
  let claim = await buildClaim({ project, keys, threshold, now }, keys)
  for (const signer of old) claim = await signClaim(claim, signer)
  return claim
}

/** The client of the proxy, new, on what a mirror has published. */
export async function openClient(folder: string, now: number): Promise<Repository> {
  return openCheckClient({
    pinnedRoot: await readFile(join(folder, 'metadata/1.root.json')),
    source: openFolderSource(folder),
    storage: createForgetfulStorage(),
    now,
  })
}

export interface SignParts extends Partial<Omit<SignOptions, 'project' | 'view'>> {
  readonly now: number
  readonly view?: OwnerView
}

export async function signFor(
  project: string,
  folder: string,
  signer: Signer,
  parts: SignParts,
): Promise<SignedRelease> {
  const view = parts.view ?? (await (await openClient(folder, parts.now)).findForOwner(project))
  return signRelease(
    {
      project,
      view,
      local: [],
      onlyChecked: false,
      yank: new Map(),
      unyank: [],
      remove: [],
      lifetimeMs: 365 * dayMs,
      signsFiles: false,
      signsHtml: false,
      ...parts,
    },
    signer,
  )
}

/** What lies on his disk: `content` is the whole file. */
export function localFile(filename: string, content = filename): LocalFile {
  return { filename, size: Buffer.byteLength(content), sha256: digestOf(content) }
}

/** The page of an index, as the fixture of the mirror writes it. */
export function shownFile(filename: string, content = filename): ProjectFile {
  return {
    filename,
    url: `https://files.test/files/${filename}`,
    hashes: new Map([['sha256', digestOf(content)]]),
    extra: new Map(),
  }
}
