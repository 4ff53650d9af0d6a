/** How many there may be: clients refuse a role that is longer than 8 MB, and then everything. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { measureDelegator, maxDelegatorBytes, requireRoom } from '../../src/mirror/claims-size.ts'
import { describeDelegation, putClaim, type StoredClaim } from '../../src/mirror/claims.ts'
import { denyFiles } from '../../src/mirror/deny-work.ts'
import { buildDelegator } from '../../src/mirror/metadata-documents.ts'
import { openMirror } from '../../src/mirror/open-mirror.ts'
import { signEnvelope } from '../../src/signing/envelope.ts'
import type { Signer } from '../../src/signing/signer.ts'
import { findDelegations } from '../../src/tuf/delegation.ts'
import { parseTargets } from '../../src/tuf/parse.ts'
import { defaultRefreshLimits } from '../../src/tuf/update.ts'
import { createKey } from '../owner/maintainer.ts'
import { expectRefusal } from '../support/expect-refusal.ts'
import { ClaimedMirror } from './claim-fixture.ts'
import { digestOf } from './mirror-fixture.ts'

/** Claims with keys that nobody has: of the length that keys have. */
function listSynthetic(count: number): StoredClaim[] {
  return Array.from({ length: count }, (_, at) => {
    const key = {
      keytype: 'ed25519',
      scheme: 'ed25519',
      keyval: { public: digestOf(`key ${at}`) },
    } as const
    return {
      project: `project-number-${at}`,
      keys: new Map([[digestOf(`keyid ${at}`), key]]),
      threshold: 1,
      created: 0,
      state: 'promoted',
    }
  })
}

function build(claims: readonly StoredClaim[], signer: Signer): Promise<Uint8Array> {
  const delegations = claims.map((claim) => describeDelegation(claim.project, claim))
  return signEnvelope(buildDelegator({ version: 1, expires: 0 }, delegations), [signer])
}

describe('a role that names owners', () => {
  test('has room for 16,000 of them, and a client reads it and finds each at once', async () => {
    const claims = listSynthetic(16_000)
    expect(() => requireRoom('claimed', claims)).not.toThrow()
    const bytes = await build(claims, await createKey())
    expect(bytes.length).toBeLessThan(defaultRefreshLimits.maxTargetsBytes)
    const { delegations } = parseTargets(bytes, 'claimed').claimed
    const found = findDelegations(delegations!, 'simple/project-number-9999/index.json')
    expect(found).toEqual([expect.objectContaining({ name: 'owner-project-number-9999' })])
    expect(delegations!.index.byPattern).toEqual([])
  })

  test('is not made longer than clients take it, and the message has the numbers', async () => {
    const claims = listSynthetic(20_000)
    const each = Math.ceil(measureDelegator(claims) / claims.length)
    const refusal = await expectRefusal(
      () => requireRoom('claimed', claims),
      'CONFIG_INVALID',
      /claimed would be \d+ bytes long with 20000 claims, and clients take 7936000/,
    )
    expect(refusal.facts.expected).toBe(
      `at most ${Math.floor(maxDelegatorBytes / each)} claims of ${each} bytes`,
    )
  })
})

describe('on a mirror that is full', () => {
  let it: ClaimedMirror
  beforeAll(async () => {
    it = await ClaimedMirror.create()
  })
  afterAll(() => it.remove())

  test('a release is refused before anything of it is published', async () => {
    await it.claim()
    const release = await it.signVersion('1.1')
    const mirror = await openMirror(it.mirror.directory, it.mirror.context)
    mirror.ledger.database.transaction(() => {
      for (const claim of listSynthetic(19_000)) putClaim(mirror, { ...claim, state: 'recent' })
    })
    await mirror.close()
    await expectRefusal(() => it.accept(release), 'CONFIG_INVALID', 'recently-claimed would be')
    expect((await it.find())?.trust.role).toMatch(/^bins-/)
  })

  test('a denial is refused before clients would refuse all of them', async () => {
    const mirror = await openMirror(it.mirror.directory, it.mirror.context)
    mirror.ledger.database.transaction(() => {
      for (let at = 0; at < 60_000; at += 1) {
        const sql = "INSERT INTO deny (project, sha256, length, content) VALUES (?, '', 0, '')"
        mirror.ledger.database.run(sql, `project-number-${at}`)
      }
    })
    await mirror.close()
    await expectRefusal(
      () => denyFiles({ ...it.mirror.context, project: 'foo', reason: 'malware' }),
      'CONFIG_INVALID',
      'deny would be',
    )
  })
})
