import { describe, expect, test } from 'vitest'
import { decodeUtf8, encodeUtf8, type Bytes } from '../../src/base/bytes.ts'
import { encodeCanonicalDocument } from '../../src/base/canonical-json.ts'
import { addSignature, mergeSignatures, parseSignatures } from '../../src/signing/add-signature.ts'
import { renderEnvelope, signEnvelope } from '../../src/signing/envelope.ts'
import { buildPrivateKey, type KeyKind } from '../../src/signing/key-file.ts'
import { buildSigner, type Signer } from '../../src/signing/signer.ts'
import { parseKey, type Key } from '../../src/tuf/keys.ts'
import { expectRefusal } from '../support/expect-refusal.ts'

async function newSigner(kind: KeyKind = 'ed25519'): Promise<Signer> {
  return buildSigner(await buildPrivateKey(kind), 'test')
}

function keysOf(...signers: readonly Signer[]): Map<string, Key> {
  return new Map(signers.map(({ key, keyid }) => [keyid, parseKey(key, keyid)]))
}

const signed = { _type: 'root', key: '-----BEGIN\nPEM\n', text: 'ünïcödé', version: 2 }
const draft = (): Promise<Bytes> => signEnvelope(signed, [])

describe('a document that several people sign', () => {
  test('keeps what is signed to the byte, line ends of keys included', async () => {
    const [one, two] = [await newSigner(), await newSigner()]
    const both = await addSignature(await addSignature(await draft(), one, 'a'), two, 'a')
    expect(both).toEqual(await signEnvelope(signed, [two, one]))
  })

  test('that was written in another layout is signed in its canonical form', async () => {
    const signer = await newSigner()
    const pretty = encodeUtf8(JSON.stringify({ signed, signatures: [] }, undefined, 2))
    expect(await addSignature(pretty, signer, 'a')).toEqual(await signEnvelope(signed, [signer]))
  })

  test('has one signature a key: a new one takes the place of the old one', async () => {
    const signer = await newSigner('ecdsa-p256')
    const once = await addSignature(await draft(), signer, 'a')
    const twice = await addSignature(once, signer, 'a')
    const { message, signatures } = parseSignatures(twice, 'a')
    expect([...signatures.keys()]).toEqual([signer.keyid])
    expect(signatures).not.toEqual(parseSignatures(once, 'a').signatures)
    expect(mergeSignatures([{ bytes: twice, place: 'a' }], keysOf(signer))).toEqual({
      message,
      signatures,
      dropped: [],
    })
  })

  test('is one again after two signed copies of it were brought together, in any order', async () => {
    const [one, two] = [await newSigner(), await newSigner('ecdsa-p384')]
    const left = { bytes: await addSignature(await draft(), one, 'a'), place: 'left' }
    const right = { bytes: await addSignature(await draft(), two, 'a'), place: 'right' }
    const keys = keysOf(one, two)
    const merged = mergeSignatures([left, right], keys)
    expect([...merged.signatures.keys()].toSorted()).toEqual([one.keyid, two.keyid].toSorted())
    expect(renderEnvelope(merged)).toEqual(renderEnvelope(mergeSignatures([right, left], keys)))
  })

  test('is not merged with another one, however alike, because one of them was not read', async () => {
    const signer = await newSigner()
    const copies = [
      { bytes: await signEnvelope(signed, [signer]), place: 'mine.json' },
      { bytes: await signEnvelope({ ...signed, version: 3 }, [signer]), place: 'yours.json' },
    ]
    await expectRefusal(
      () => mergeSignatures(copies, keysOf(signer)),
      'CONFIG_INVALID',
      'yours.json is not a copy of the document that mine.json holds',
    )
  })

  test('loses signatures that do not verify, and those of keys that nobody asked', async () => {
    const [good, bad, stranger] = [await newSigner(), await newSigner(), await newSigner()]
    const { message } = parseSignatures(await draft(), 'a')
    const signatures = new Map([
      [good.keyid, await good.sign(message)],
      [bad.keyid, await bad.sign(encodeUtf8('something else'))],
      [stranger.keyid, await stranger.sign(message)],
      ['00', ''],
      ['nonsense', 'zz'],
    ])
    const bytes = renderEnvelope({ message, signatures })
    const merged = mergeSignatures([{ bytes, place: 'a' }], keysOf(good, bad))
    expect([...merged.signatures.keys()]).toEqual([good.keyid])
    expect(new Set(merged.dropped)).toEqual(new Set([bad.keyid, stranger.keyid, '00', 'nonsense']))
  })

  test('keeps the good signature of a key where another copy has a broken one of the same key', async () => {
    const signer = await newSigner()
    const good = await signEnvelope(signed, [signer])
    const { message } = parseSignatures(good, 'a')
    const broken = renderEnvelope({ message, signatures: new Map([[signer.keyid, 'abcd']]) })
    for (const order of [
      [good, broken],
      [broken, good],
    ]) {
      const copies = order.map((bytes) => ({ bytes, place: 'a' }))
      const merged = mergeSignatures(copies, keysOf(signer))
      expect(renderEnvelope(merged)).toEqual(good)
      expect(merged.dropped).toEqual([])
    }
  })

  test.each([
    ['no JSON', 'hello'],
    ['no signed part', '{"signatures":[]}'],
    ['no signatures', '{"signed":{}}'],
    ['the same member twice', '{"signatures":[],"signed":{"a":1,"a":2}}'],
    [
      'the same key id twice',
      '{"signatures":[{"keyid":"a","sig":""},{"keyid":"a","sig":""}],"signed":{}}',
    ],
    ['a fraction', '{"signatures":[],"signed":{"a":1.5}}'],
    ['a list', '[]'],
  ])('is refused where it has %s, and nothing is signed', async (_what, text) => {
    const signer = await newSigner()
    let hasSigned = false
    const watched = { ...signer, sign: () => ((hasSigned = true), Promise.resolve('')) }
    await expectRefusal(
      () => addSignature(encodeUtf8(text), watched, '2.root.json'),
      'MALFORMED',
      '2.root.json is not a signed document: ',
    )
    expect(hasSigned).toBe(false)
  })

  test('can be read by any JSON parser afterwards', async () => {
    const signer = await newSigner('rsa-pss')
    const bytes = await addSignature(await draft(), signer, 'a')
    const text = decodeUtf8(bytes)
    expect(JSON.parse(text)).toMatchObject({ signed })
    expect(text).toBe(encodeCanonicalDocument(JSON.parse(text)))
  })
})
