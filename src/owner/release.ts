/**
 * A release file: what an owner signed, on its way to the mirror. It holds the metadata of the role
 * `owner-<project>` and the record of the project, byte for byte as they will be published.
 */

import { decodeUtf8, encodeUtf8, type Bytes } from '../base/bytes.ts'
import type { Json } from '../base/canonical-json.ts'
import { formatUtcSeconds } from '../base/clock.ts'
import { DecodeError, readInteger, readMember, readObject, readString } from '../base/decode.ts'
import { sha256Hex } from '../base/digest.ts'
import { VerifyError } from '../base/errors.ts'
import { parseJson, requireStrictJson } from '../base/strict-json.ts'
import { addSignature } from '../signing/add-signature.ts'
import { signEnvelope } from '../signing/envelope.ts'
import type { Signer } from '../signing/signer.ts'
import { fileTarget, htmlTarget, ownerRole, recordTarget } from '../simple/project-targets.ts'
import { parseRecord, type ProjectRecord, type RecordFile } from '../simple/record.ts'
import { renderPage } from '../simple/render.ts'
import { rewriteForOrigin } from '../simple/rewrite.ts'
import { requireContent } from '../tuf/content.ts'
import type { TargetFile, Targets } from '../tuf/metadata.ts'
import { parseTargets, type Unverified } from '../tuf/parse.ts'
import { requireThreshold } from '../tuf/threshold.ts'
import { readProject, signersOf, type OwnerKeys } from './claim.ts'
import { readOwnerFile } from './owner-file.ts'

export interface ReleaseFile {
  readonly project: string
  /** Of the owner's role. */
  readonly metadata: Bytes
  readonly record: Bytes
}

/** Its parts fit together; who signed it is not known. */
export interface UnverifiedRelease extends ReleaseFile {
  readonly targets: Unverified<Targets>
  readonly parsed: ProjectRecord
}

/** The largest record that clients take by default is 64 MB. */
export const maxReleaseBytes = 160_000_000
const releaseType = 'tufgate-release'
const releaseFormat = 1
const specVersion = '1.0.34'

export interface ReleaseInput {
  readonly project: string
  readonly record: Bytes
  /** The same, read. */
  readonly parsed: ProjectRecord
  readonly version: number
  /** ms */
  readonly expires: number
  /** Every distribution is a target too, where the mirror has it so. */
  readonly signsFiles: boolean
  /** The twin of the record in HTML too. */
  readonly signsHtml: boolean
}

export async function buildRelease(input: ReleaseInput, signer: Signer): Promise<Bytes> {
  const { project, record, version, expires } = input
  const entries: Record<string, Json> = {
    [recordTarget(project)]: describeTarget(record.length, sha256Hex(record)),
  }
  const { files } = input.parsed
  for (const file of input.signsFiles ? files.filter(isFileTarget) : []) {
    entries[fileTarget(project, file.filename)] = describeTarget(file.size ?? 0, file.sha256)
  }
  if (input.signsHtml) {
    const html = renderTwin(input.parsed)
    entries[htmlTarget(project)] = describeTarget(html.length, sha256Hex(html))
  }
  const signed: Json = {
    _type: 'targets',
    spec_version: specVersion,
    version,
    expires: formatUtcSeconds(expires),
    targets: entries,
  }
  return renderRelease({ project, metadata: await signEnvelope(signed, [signer]), record })
}

/** What is removed, or of a length that nobody knows, is no target of its own. */
export function isFileTarget({ size, removed, conflict }: RecordFile): boolean {
  return size !== undefined && removed === undefined && conflict === undefined
}

function renderTwin(record: ProjectRecord): Bytes {
  return renderPage(rewriteForOrigin(record), 'text-html')
}

function describeTarget(length: number, sha256: string): Json {
  return { length, hashes: { sha256 } }
}

function renderRelease({ project, metadata, record }: ReleaseFile): Bytes {
  const file = {
    type: releaseType,
    format: releaseFormat,
    project,
    metadata: decodeUtf8(metadata),
    record: decodeUtf8(record),
  }
  return encodeUtf8(`${JSON.stringify(file, undefined, 1)}\n`)
}

/** Of an owner with a threshold above one: the next signature. */
export async function addReleaseSignature(bytes: Bytes, signer: Signer): Promise<Bytes> {
  const { project, metadata, record } = parseRelease(bytes)
  return renderRelease({ project, record, metadata: await addSignature(metadata, signer) })
}

/**
 * The form, and that the parts belong together: the metadata lists this record and nothing that an
 * owner has no business with. Throws VerifyError.
 */
export function parseRelease(bytes: Bytes): UnverifiedRelease {
  const file = readOwnerFile('the release', bytes, maxReleaseBytes, () => readReleaseFile(bytes))
  const targets = parseTargets(file.metadata, ownerRole(file.project))
  const parsed = parseRecord(file.record, file.project)
  requireTargets(file, targets.claimed, parsed)
  return { ...file, targets, parsed }
}

function readReleaseFile(bytes: Bytes): ReleaseFile {
  const object = readObject(parseJson(bytes))
  requireStrictJson(decodeUtf8(bytes))
  readMember(object, 'type', (type) => {
    if (readString(type) !== releaseType) throw new DecodeError(`expected ${releaseType}`)
  })
  readMember(object, 'format', (format) => {
    if (readInteger(format, 1) !== releaseFormat) throw new DecodeError('made by a newer tufgate')
  })
  return {
    project: readMember(object, 'project', readProject),
    metadata: encodeUtf8(readMember(object, 'metadata', readString)),
    record: encodeUtf8(readMember(object, 'record', readString)),
  }
}

function requireTargets(
  { project, record }: ReleaseFile,
  { targets, delegations }: Targets,
  parsed: ProjectRecord,
): void {
  const path = recordTarget(project)
  const target = targets.get(path)
  if (target === undefined) throw refuse(project, `its metadata does not list ${path}`)
  if (target.hashes.get('sha256') === undefined) throw refuse(project, 'its record has no sha256')
  requireContent(path, record, target)
  // Whoever an owner trusts would be trusted by no decision of the mirror.
  if (delegations !== undefined) throw refuse(project, 'its metadata delegates to others')
  const files = new Map(parsed.files.map((entry) => [fileTarget(project, entry.filename), entry]))
  for (const [name, described] of targets) {
    if (name === htmlTarget(project)) requireTwin(project, parsed, described)
    else if (name !== path && !isSameFile(files.get(name), described)) {
      throw refuse(project, 'its metadata lists a file that is not the one in the record')
    }
  }
}

/** Written by the same program from the same record: the mirror makes it again. */
function requireTwin(project: string, parsed: ProjectRecord, described: TargetFile): void {
  const html = renderTwin(parsed)
  const isSame =
    described.length === html.length && described.hashes.get('sha256') === sha256Hex(html)
  if (!isSame) throw refuse(project, 'its page in HTML is not the one of its record')
}

function isSameFile(file: RecordFile | undefined, { length, hashes }: TargetFile): boolean {
  return (
    file !== undefined &&
    hashes.get('sha256') === file.sha256 &&
    (file.size === undefined || file.size === length)
  )
}

function refuse(project: string, problem: string): VerifyError {
  return new VerifyError('RECORD_REFUSED', `The release of ${project} is refused: ${problem}`, {
    next: 'Make it again with: tufgate owner sign',
  })
}

/** Throws SIGNATURE_THRESHOLD, with the key ids that have not signed. */
export function requireOwners({ project, targets }: UnverifiedRelease, owners: OwnerKeys): void {
  try {
    const signers = signersOf(owners)
    requireThreshold(`the release of ${project}`, targets, signers, `the claim of ${project}`)
  } catch (error) {
    if (!(error instanceof VerifyError)) throw error
    const missing = [...owners.keys.keys()].filter((keyid) => !targets.signatures.has(keyid))
    throw new VerifyError(error.code, error.message, {
      role: ownerRole(project),
      expected: `signatures by ${owners.threshold} of ${[...owners.keys.keys()].join(', ')}`,
      found:
        missing.length === 0 ? 'signatures that do not verify' : `none by ${missing.join(', ')}`,
      next: 'Whoever has a missing key adds his signature: tufgate owner sign --add RELEASE --key KEY',
      cause: error,
    })
  }
}
