/** Files that go from hand to hand: claims and releases of owners, and changes of offline keys. */

import { decodeUtf8, encodeUtf8, type Bytes } from '../../../src/base/bytes.ts'
import { sha256Hex } from '../../../src/base/digest.ts'
import { checkChange } from '../../../src/ceremony/check-change.ts'
import { parseChange, renderChange } from '../../../src/ceremony/change-file.ts'
import { describeChange } from '../../../src/ceremony/describe-change.ts'
import { parseDraft } from '../../../src/ceremony/draft.ts'
import { parseLine, readRequirements } from '../../../src/mirror/requirements.ts'
import { buildClaim, parseClaim, requirePossession } from '../../../src/owner/claim.ts'
import { findOwnerFileKind } from '../../../src/owner/owner-file.ts'
import { parseRelease } from '../../../src/owner/release.ts'
import { parseSignatures } from '../../../src/signing/add-signature.ts'
import { parsePublicKey } from '../../../src/signing/public-key-file.ts'
import { createKey } from '../../../test/owner/maintainer.ts'
import { TufRepository } from '../../../test/support/tuf-repository.ts'
import { signDocument } from '../../../test/support/tuf-repository.ts'
import { createSigner } from '../../../test/support/tuf-signers.ts'
import { readText, requireSame, type FuzzTarget } from '../target.ts'

let claimSeed: Bytes = new Uint8Array()

const claim: FuzzTarget = {
  name: 'owner-claim',
  rule: 'a claim is read or refused, and only what its keys have signed is one',
  seeds: () => [claimSeed],
  words: ['"threshold":0', '"threshold":2', '"project":"Foo"', '"format":2', '"keys":[]'],
  open: async () => {
    const key = await createKey()
    const now = Date.parse('2026-03-01T12:00:00Z')
    claimSeed = await buildClaim({ project: 'foo', keys: [key], threshold: 1, now }, [key])
    return async () => undefined
  },
  run: (input) => {
    findOwnerFileKind(input)
    parseSignatures(input, 'a claim')
    const found = requirePossession(parseClaim(input))
    requireSame(found, parseClaim(claimSeed).claim, 'another claim passes for signed')
    return 'signed'
  },
}

function buildRelease(): string {
  const record = JSON.stringify({
    meta: { 'api-version': '1.4' },
    name: 'foo',
    versions: [],
    files: [],
  })
  const targets = { 'simple/foo/index.json': describeTarget(record) }
  const header = {
    _type: 'targets',
    spec_version: '1.0.34',
    version: 1,
    expires: '2030-01-01T00:00:00Z',
  }
  const metadata = signDocument({ ...header, targets }, [createSigner()])
  return JSON.stringify({
    type: 'tufgate-release',
    format: 1,
    project: 'foo',
    metadata: decodeUtf8(metadata),
    record,
  })
}

function describeTarget(text: string): object {
  return { length: Buffer.byteLength(text), hashes: { sha256: sha256Hex(encodeUtf8(text)) } }
}

const release: FuzzTarget = {
  name: 'owner-release',
  rule: 'a release is read or refused; its metadata lists its record and nothing else',
  seeds: () => [buildRelease()],
  words: ['\\"delegations\\":{}', '"project":"bar"', '\\"targets\\":{', 'simple/bar/index.json'],
  run: (input) => {
    findOwnerFileKind(input)
    const { record, targets } = parseRelease(input)
    const listed = targets.claimed.targets.get('simple/foo/index.json')
    requireSame(listed?.hashes.get('sha256'), sha256Hex(record), 'another record')
  },
}

function buildChange(): Bytes {
  const repository = new TufRepository()
  const first = parseDraft(repository.publishRoot())
  const targets = parseDraft(repository.render('targets'))
  const second = parseDraft(repository.renewRoot())
  return renderChange(
    {
      roots: [first],
      previous: new Map([['targets', targets]]),
      documents: new Map([['root', second]]),
    },
    ['For people'],
  )
}

const change: FuzzTarget = {
  name: 'change-file',
  rule: 'a change is described or refused, and reads the same once it is written again',
  seeds: () => [buildChange()],
  words: ['"root":{', '"x-tufgate-key-name":"a"', '"threshold":2', '"version":3', '"claimed":'],
  run: (input) => {
    const read = parseChange(input, 'the file')
    const again = parseChange(renderChange(read, []), 'the file')
    requireSame(again.documents, read.documents, 'another change')
    describeChange(checkChange(read))
  },
}

const requirements: FuzzTarget = {
  name: 'mirror-requirements',
  rule: 'requirements files name projects; each file is read once',
  seeds: () => [
    '-r other.txt\nfoo==1.0 \\\n  --hash=sha256:aa\nbar[x]>=2; python_version<"3"\n-e .\n',
  ],
  words: ['-r a', '--constraint=', '\\\n', ' #', 'foo @ https://x/', '\f'],
  run: async (input) => {
    const text = readText(input)
    parseLine(text)
    const port = { read: async () => text, resolve: (_from: string, nested: string) => nested }
    await readRequirements(['a'], port)
  },
}

const publicKey: FuzzTarget = {
  name: 'public-key',
  rule: 'a public key is read or refused; no private key is taken for one',
  seeds: () => [
    createSigner('ecdsa-p256').key.keyval.public,
    createSigner('rsa-pss-sha256').key.keyval.public,
  ],
  words: [
    '-----BEGIN PUBLIC KEY-----',
    '-----BEGIN PRIVATE KEY-----',
    '-----END PUBLIC KEY-----',
    '\r\n',
  ],
  run: (input) => {
    parsePublicKey(readText(input), 'the file')
  },
}

export const mirrorTargets: readonly FuzzTarget[] = [
  claim,
  release,
  change,
  requirements,
  publicKey,
]
