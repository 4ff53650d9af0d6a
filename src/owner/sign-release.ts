/**
 * `owner sign`: what is signed now, verified like anything else; what the index shows; what lies here.
 * Together they become the next record of the project, signed by its owner.
 */

import type { Bytes } from '../base/bytes.ts'
import { ConfigError } from '../base/errors.ts'
import type { OwnerView } from '../client/repository.ts'
import type { Signer } from '../signing/signer.ts'
import { parseRecord, renderRecord } from '../simple/record.ts'
import { draftRecord, type DraftInput, type RecordDraft } from './draft-record.ts'
import { buildRelease } from './release.ts'

export interface SignOptions extends Omit<DraftInput, 'previous'> {
  /** What the verifying client says of the project. */
  readonly view: OwnerView
  /** ms */
  readonly lifetimeMs: number
  readonly signsFiles: boolean
  readonly signsHtml: boolean
}

export interface SignedRelease {
  readonly release: Bytes
  readonly version: number
  /** ms */
  readonly expires: number
  readonly draft: RecordDraft
  readonly isFirst: boolean
}

/** Throws what `draftRecord` throws, and RECORD_REFUSED for a record that clients would refuse. */
export async function signRelease(options: SignOptions, signer: Signer): Promise<SignedRelease> {
  const { view, lifetimeMs, signsFiles, signsHtml, now, project } = options
  const draft = draftRecord({ ...options, previous: view.record })
  if (draft.record.files.length === 0) throw refuseEmpty(project)
  const record = renderRecord(draft.record)
  const parsed = parseRecord(record, project)
  const version = view.version + 1
  const expires = now + lifetimeMs
  const release = await buildRelease(
    { project, record, parsed, version, expires, signsFiles, signsHtml },
    signer,
  )
  return { release, version, expires, draft, isFirst: !view.isOwned }
}

function refuseEmpty(project: string): ConfigError {
  return new ConfigError('CONFIG_INVALID', `There is no file of ${project} to sign`, {
    next: 'Name the files on your machine: tufgate owner sign dist/* ...',
  })
}
