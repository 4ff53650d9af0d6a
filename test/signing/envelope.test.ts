import { describe, expect, test } from 'vitest'
import { decodeUtf8, encodeUtf8 } from '../../src/base/bytes.ts'
import { encodeCanonical } from '../../src/base/canonical-json.ts'
import { signEnvelope } from '../../src/signing/envelope.ts'
import { buildPrivateKey } from '../../src/signing/key-file.ts'
import { buildSigner, type Signer } from '../../src/signing/signer.ts'

async function newSigner(): Promise<Signer> {
  return buildSigner(await buildPrivateKey('ed25519'), 'test')
}

const signed = { version: 1, _type: 'snapshot', meta: { 'targets.json': { version: 1 } } }

describe('a signed envelope', () => {
  test('is canonical JSON as a whole', async () => {
    const text = decodeUtf8(await signEnvelope(signed, [await newSigner(), await newSigner()]))
    expect(text).toBe(encodeCanonical(JSON.parse(text)))
    expect(JSON.parse(text)).toMatchObject({ signed })
  })

  test('is JSON where a key has line ends, which canonical JSON leaves as they are', async () => {
    const value = { key: 'BEGIN\n\u0001END "quoted" \\n' }
    const signer = await newSigner()
    const document = JSON.parse(decodeUtf8(await signEnvelope(value, [signer]))) as {
      signatures: { sig: string }[]
      signed: unknown
    }
    expect(document.signed).toEqual(value)
    const sig = await signer.sign(encodeUtf8(encodeCanonical(value)))
    expect(document.signatures).toMatchObject([{ sig }])
  })

  test('carries the signature of the canonical form of what is signed', async () => {
    const signer = await newSigner()
    const document = JSON.parse(decodeUtf8(await signEnvelope(signed, [signer]))) as {
      signatures: unknown
    }
    const sig = await signer.sign(encodeUtf8(encodeCanonical(signed)))
    expect(document.signatures).toEqual([{ keyid: signer.keyid, sig }])
  })

  test('does not depend on the order of the signers or of the members', async () => {
    const [one, two] = [await newSigner(), await newSigner()]
    const first = await signEnvelope(signed, [one, two])
    const { version, ...rest } = signed
    expect(await signEnvelope({ ...rest, version }, [two, one])).toEqual(first)
  })

  test('is refused where one key would sign twice, because clients refuse such a file', async () => {
    const signer = await newSigner()
    await expect(signEnvelope(signed, [signer, signer])).rejects.toMatchObject({
      code: 'KEY_INVALID',
      message: `The key ${signer.keyid} would sign the same metadata twice`,
    })
  })

  test('without a signer is a document with no signature: a draft for the offline keys', async () => {
    expect(JSON.parse(decodeUtf8(await signEnvelope(signed, [])))).toEqual({
      signatures: [],
      signed,
    })
  })
})
