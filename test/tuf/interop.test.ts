import { Metadata, MetadataKind, Signature } from '@tufjs/models'
import { initializeTUFRepo } from '@tufjs/repo-mock'
import { describe, expect, test } from 'vitest'
import { encodeUtf8, type Bytes } from '../../src/base/bytes.ts'
import { findTarget } from '../../src/tuf/search.ts'
import { noFloors, trustRoot } from '../../src/tuf/trusted-set.ts'
import { expectRefusal } from '../support/expect-refusal.ts'
import type { Document } from '../support/tuf-documents.ts'
import { TufSimulator } from '../support/tuf-simulator.ts'
import { createSigner, type SignerKind, type TestSigner } from '../support/tuf-signers.ts'

type Json = Parameters<typeof Metadata.fromJSON>[1]

const modelKinds: Record<string, MetadataKind> = {
  root: MetadataKind.Root,
  timestamp: MetadataKind.Timestamp,
  snapshot: MetadataKind.Snapshot,
}

/** The document as @tufjs/models reads, canonicalises, signs and writes it. */
function signWithModels(document: Document, signers: readonly TestSigner[]): Bytes {
  const envelope = {
    signed: JSON.parse(JSON.stringify(document)) as unknown,
    signatures: [],
  } as unknown as Json
  const { _type: kindName } = document
  const kind = modelKinds[kindName] ?? MetadataKind.Targets
  const metadata = Metadata.fromJSON(kind as MetadataKind.Targets, envelope)
  for (const signer of signers) {
    metadata.sign((data) => new Signature({ keyID: signer.keyid, sig: signer.sign(data) }))
  }
  return encodeUtf8(JSON.stringify(metadata.toJSON()))
}

/** A simulator whose files are all built by @tufjs/models. */
function modelledSimulator(kind: SignerKind): TufSimulator {
  const simulator = new TufSimulator({ kind })
  simulator.delegate('team', { paths: ['team/*'], signers: [createSigner(kind)] })
  simulator.addTarget('team/é 😀.whl', 'x', 'team')
  simulator.publish()
  const documents: Record<string, Document> = {
    root: simulator.root,
    timestamp: simulator.timestamp,
    snapshot: simulator.snapshot,
    targets: simulator.targets,
    team: simulator.role('team'),
  }
  for (const [role, document] of Object.entries(documents)) {
    simulator.tampered.set(role, () => signWithModels(document, simulator.signersOf(role)))
  }
  simulator.publishedRoots.set(1, signWithModels(simulator.root, simulator.signersOf('root')))
  return simulator
}

describe('repositories built with @tufjs/models', () => {
  test.each(['ed25519', 'ecdsa-p256', 'ecdsa-p384', 'rsa-pss-sha256'] as const)(
    'are read and searched with keys of %s',
    async (kind) => {
      const simulator = modelledSimulator(kind)
      const { trusted } = await simulator.refresh()
      const found = await findTarget(
        trusted,
        'team/é 😀.whl',
        simulator.loadRole(trusted),
        simulator,
      )
      expect(found).toMatchObject({ role: 'team', target: { length: 1 } })
    },
  )
})

describe('metadata that is signed here', () => {
  test.each(['ed25519', 'ecdsa-p256', 'ecdsa-p384', 'rsa-pss-sha256'] as const)(
    'verifies in @tufjs/models with keys of %s',
    (kind) => {
      const simulator = new TufSimulator({ kind, hashes: true })
      simulator.addTarget('simple/foo/index.json', 'x')
      simulator.publish()
      const parse = (role: string): Json =>
        JSON.parse(new TextDecoder().decode(simulator.render(role))) as Json
      const root = Metadata.fromJSON(MetadataKind.Root, parse('root'))
      root.verifyDelegate('root', root)
      root.verifyDelegate(
        'timestamp',
        Metadata.fromJSON(MetadataKind.Timestamp, parse('timestamp')),
      )
      root.verifyDelegate('snapshot', Metadata.fromJSON(MetadataKind.Snapshot, parse('snapshot')))
      root.verifyDelegate('targets', Metadata.fromJSON(MetadataKind.Targets, parse('targets')))
    },
  )
})

test('a repository of @tufjs/repo-mock is refused for the fractions of a second in its expiry alone', async () => {
  const { rootMeta } = initializeTUFRepo([{ name: 'a', content: Buffer.from('x') }])
  const text = JSON.stringify(rootMeta.toJSON())
  expect(text).toMatch(/"expires":"[^"]*\.\d{3}Z"/)
  await expectRefusal(
    () => trustRoot(encodeUtf8(text), noFloors),
    'MALFORMED',
    'signed.expires: expected a time',
  )
  const shortened = encodeUtf8(text.replace(/\.\d{3}Z"/, 'Z"'))
  await expectRefusal(
    () => trustRoot(shortened, noFloors),
    'SIGNATURE_THRESHOLD',
    'root is signed by 0',
  )
})
