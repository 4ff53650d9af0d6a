import { describe, expect, test } from 'vitest'
import { encodeUtf8, type Bytes } from '../../src/base/bytes.ts'
import type { Json } from '../../src/base/canonical-json.ts'
import { sha256Hex } from '../../src/base/digest.ts'
import {
  addReleaseSignature,
  buildRelease,
  parseRelease,
  requireOwners,
} from '../../src/owner/release.ts'
import { reviewRelease } from '../../src/owner/review-release.ts'
import { signEnvelope } from '../../src/signing/envelope.ts'
import type { Signer } from '../../src/signing/signer.ts'
import { parseRecord } from '../../src/simple/record.ts'
import { expectRefusal } from '../support/expect-refusal.ts'
import { fileJson, pageJson } from '../support/pages.ts'
import { createKey } from './maintainer.ts'

const expires = Date.parse('2027-03-01T12:00:00Z')
const name = 'foo-1.0.tar.gz'
const record = pageJson('foo', [fileJson(name, { size: 3 })])
const parsed = parseRecord(record, 'foo')

function build(signer: Signer, signsFiles = false): Promise<Bytes> {
  const input = {
    project: 'foo',
    record,
    parsed,
    version: 1,
    expires,
    signsFiles,
    signsHtml: signsFiles,
  }
  return buildRelease(input, signer)
}

interface ReleaseText {
  metadata: string
  record: string
  project: string
}

async function bent(change: (file: ReleaseText) => void): Promise<Bytes> {
  const file = JSON.parse(Buffer.from(await build(await createKey())).toString()) as ReleaseText
  change(file)
  return encodeUtf8(JSON.stringify(file))
}

/** Metadata that an owner signs, whatever stands in it. */
async function releaseWith(signed: Readonly<Record<string, Json>>): Promise<Bytes> {
  const target = { length: record.length, hashes: { sha256: sha256Hex(record) } }
  const whole = {
    _type: 'targets',
    spec_version: '1.0.34',
    version: 1,
    expires: '2027-03-01T12:00:00Z',
    targets: { 'simple/foo/index.json': target },
    ...signed,
  }
  const metadata = await signEnvelope(whole, [await createKey()])
  return bent((file) => (file.metadata = Buffer.from(metadata).toString()))
}

describe('a release', () => {
  test('comes out as it went in, with the role that its owner signed', async () => {
    const signer = await createKey()
    const { project, targets, parsed: found } = parseRelease(await build(signer))
    expect(project).toBe('foo')
    expect([...targets.claimed.targets.keys()]).toEqual(['simple/foo/index.json'])
    expect(found.files).toHaveLength(1)
  })

  test('lists its files and its page in HTML as targets, where the mirror has it so', async () => {
    const { targets } = parseRelease(await build(await createKey(), true))
    expect([...targets.claimed.targets.keys()].toSorted()).toEqual([
      `files/foo/${name}`,
      'simple/foo/index.html',
      'simple/foo/index.json',
    ])
  })

  test('of two of two counts when both have signed', async () => {
    const [me, friend] = [await createKey(), await createKey()]
    const owners = {
      keys: new Map([me, friend].map(({ keyid, key }) => [keyid, key])),
      threshold: 2,
    }
    const release = await build(me)
    await expectRefusal(
      () => requireOwners(parseRelease(release), owners),
      'SIGNATURE_THRESHOLD',
      'the release of foo is signed by 1 of the 2 keys that the claim of foo demands',
    )
    const twice = parseRelease(await addReleaseSignature(release, me))
    expect(() => requireOwners(twice, owners)).toThrow()
    const whole = parseRelease(await addReleaseSignature(release, friend))
    expect(() => requireOwners(whole, owners)).not.toThrow()
  })
})

describe('another owner', () => {
  test('sees what is in a release, and what of it he has himself', async () => {
    const release = parseRelease(await build(await createKey()))
    const own = { filename: name, size: 3, sha256: parsed.files[0]!.sha256 }
    expect(reviewRelease(release, [own])).toEqual({
      project: 'foo',
      version: 1,
      expires,
      checked: [name],
      unchecked: [],
    })
    expect(reviewRelease(release, []).unchecked).toEqual([name])
  })

  test('does not sign a file that is another one than his', async () => {
    const release = parseRelease(await build(await createKey()))
    const other = { filename: name, size: 3, sha256: 'ab'.repeat(32) }
    await expectRefusal(
      () => reviewRelease(release, [other]),
      'DIGEST_MISMATCH',
      `The release lists another ${name}`,
    )
    const unknown = { ...other, filename: 'foo-2.0.tar.gz' }
    await expectRefusal(
      () => reviewRelease(release, [unknown]),
      'CONFIG_INVALID',
      'does not list foo-2.0.tar.gz',
    )
  })
})

describe('a release is refused', () => {
  const other = { length: 3, hashes: { sha256: 'ab'.repeat(32) } }
  const own = { length: record.length, hashes: { sha256: sha256Hex(record) } }

  test.each([
    ['lists the record of another project', { 'simple/bar/index.json': own }, 'does not list'],
    [
      'lists the record of another project besides',
      { 'simple/foo/index.json': own, 'simple/bar/index.json': own },
      'a file that is not the one in the record',
    ],
    [
      'lists a file that the record does not have',
      { 'simple/foo/index.json': own, 'files/foo/foo-6.6.tar.gz': other },
      'a file that is not the one in the record',
    ],
    [
      'lists another sha256 for a file',
      { 'simple/foo/index.json': own, [`files/foo/${name}`]: other },
      'a file that is not the one in the record',
    ],
    [
      'lists another page in HTML',
      { 'simple/foo/index.json': own, 'simple/foo/index.html': other },
      'its page in HTML is not the one of its record',
    ],
    [
      'has no sha256 for its record',
      {
        'simple/foo/index.json': { length: record.length, hashes: { sha512: 'ab'.repeat(64) } },
      },
      'its record has no sha256',
    ],
  ])('that %s', async (_what, targets, problem) => {
    const release = await releaseWith({ targets })
    await expectRefusal(() => parseRelease(release), 'RECORD_REFUSED', problem)
  })

  test('that delegates to somebody whom the mirror does not know', async () => {
    const release = await releaseWith({ delegations: { keys: {}, roles: [] } })
    await expectRefusal(() => parseRelease(release), 'RECORD_REFUSED', 'delegates to others')
  })

  test('whose record is not the signed one', async () => {
    const longer = await bent((file) => (file.record += ' '))
    await expectRefusal(() => parseRelease(longer), 'LENGTH_MISMATCH', 'instead of the signed')
    const changed = await bent((file) => (file.record = file.record.replaceAll('1.0', '6.6')))
    await expectRefusal(() => parseRelease(changed), 'DIGEST_MISMATCH', 'sha256')
  })

  test('of another project than it says', async () => {
    const moved = await bent((file) => (file.project = 'bar'))
    await expectRefusal(() => parseRelease(moved), 'MALFORMED', /./)
  })

  test.each([
    ['{}', 'expected text'],
    ['{"type":"tufgate-claim"}', 'expected tufgate-release'],
    ['{"type":"tufgate-release","format":2}', 'made by a newer tufgate'],
    ['{"type":"tufgate-release","format":1,"project":"Foo"}', 'normalized project name'],
    ['{"type":"tufgate-release","type":"tufgate-release"}', 'twice'],
    ['[', 'JSON'],
  ])('that is none: %s', async (text, problem) => {
    await expectRefusal(() => parseRelease(encodeUtf8(text)), 'MALFORMED', problem)
  })
})
