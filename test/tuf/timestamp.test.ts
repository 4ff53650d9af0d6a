import { describe, expect, test } from 'vitest'
import { acceptTimestamp, requireUnexpired, type Floors } from '../../src/tuf/trusted-set.ts'
import { expectRefusal } from '../support/expect-refusal.ts'
import { TufSimulator } from '../support/tuf-simulator.ts'

const minuteMs = 60_000

function utc(time: number): string {
  return `${new Date(time).toISOString().slice(0, 19)}Z`
}

/** Offers a new timestamp that says when it was signed. */
function signedAt(simulator: TufSimulator, time: number): void {
  simulator.timestamp.version += 1
  simulator.timestamp['x-tufgate'] = { signed: utc(time) }
}

async function refreshed(): Promise<{
  simulator: TufSimulator
  trusted: Awaited<ReturnType<TufSimulator['refresh']>>['trusted']
}> {
  const simulator = new TufSimulator()
  simulator.timestamp.version = 5
  simulator.snapshot.version = 5
  simulator.timestamp.meta['snapshot.json'] = { version: 5 }
  const { trusted } = await simulator.refresh()
  return { simulator, trusted }
}

describe('a timestamp', () => {
  test('is refused when its version went down', async () => {
    const { simulator, trusted } = await refreshed()
    simulator.timestamp.version -= 1
    const refusal = await expectRefusal(
      () => simulator.refresh(trusted),
      'VERSION_ROLLBACK',
      'timestamp went back from version 5 to 4',
    )
    expect(refusal.facts).toMatchObject({
      role: 'timestamp',
      version: 4,
      expected: 'at least 5',
      found: '4',
    })
  })

  test('is refused when its version went down across a restart', async () => {
    const { simulator, trusted } = await refreshed()
    simulator.timestamp.version -= 1
    await expectRefusal(
      () => simulator.refresh(simulator.trust(trusted.floors)),
      'VERSION_ROLLBACK',
      'timestamp went back from version 5 to 4',
    )
  })

  test('is refused when the snapshot that it names went down', async () => {
    const { simulator, trusted } = await refreshed()
    simulator.timestamp.version += 1
    simulator.timestamp.meta['snapshot.json'] = { version: 4 }
    await expectRefusal(
      () => simulator.refresh(trusted),
      'VERSION_ROLLBACK',
      'snapshot went back from version 5 to 4',
    )
  })

  test('of the same version gives the same set back, whatever else it says', async () => {
    const { simulator, trusted } = await refreshed()
    simulator.timestamp.meta['snapshot.json'] = { version: 9 }
    expect(acceptTimestamp(trusted, simulator.render('timestamp'), simulator.now)).toBe(trusted)
  })

  test('of the same version is taken after a restart', async () => {
    const { simulator, trusted } = await refreshed()
    const again = await simulator.refresh(simulator.trust(trusted.floors))
    expect(again.trusted.timestamp.version).toBe(5)
  })

  test('is refused when it has expired, at the very moment', async () => {
    const { simulator, trusted } = await refreshed()
    simulator.timestamp.version += 1
    simulator.timestamp.expires = utc(simulator.now)
    await expectRefusal(
      () => simulator.refresh(trusted),
      'EXPIRED',
      'timestamp version 6 expired 0 s ago',
    )
    simulator.timestamp.expires = utc(simulator.now + 1000)
    expect((await simulator.refresh(trusted)).trusted.timestamp.version).toBe(6)
  })

  test('that is trusted is refused when it has expired and no newer one is offered', async () => {
    const { simulator, trusted } = await refreshed()
    const later = simulator.now + 31 * 24 * 60 * minuteMs
    simulator.renewRoot(() => (simulator.root.expires = utc(later + minuteMs)))
    const refusal = await expectRefusal(
      () => simulator.refresh(trusted, later),
      'EXPIRED',
      'timestamp version 5 expired 1 d ago',
    )
    expect(refusal.facts).toMatchObject({ role: 'timestamp', found: '2026-07-01T12:00:00Z' })
  })

  test('cannot be another role', async () => {
    const { simulator, trusted } = await refreshed()
    const [signer] = simulator.signersOf('timestamp')
    simulator.signers.set('snapshot', [signer!])
    const bytes = simulator.render('snapshot')
    simulator.tampered.set('timestamp', () => bytes)
    await expectRefusal(
      () => simulator.refresh(trusted),
      'MALFORMED',
      'expected timestamp, found snapshot',
    )
  })

  test('is refused beyond 16 kB', async () => {
    const { simulator, trusted } = await refreshed()
    simulator.timestamp['padding'] = 'x'.repeat(16_384)
    await expectRefusal(
      () => simulator.refresh(trusted),
      'LENGTH_MISMATCH',
      'timestamp is longer than the 16384 bytes',
    )
  })

  test('is not accepted when only one bit of it was changed', async () => {
    const { simulator, trusted } = await refreshed()
    simulator.timestamp.version += 1
    simulator.tampered.set('timestamp', (bytes) => {
      const text = new TextDecoder().decode(bytes).replace('"version":6', '"version":7')
      return new TextEncoder().encode(text)
    })
    await expectRefusal(
      () => simulator.refresh(trusted),
      'SIGNATURE_THRESHOLD',
      'timestamp is signed by 0',
    )
  })

  test('does not change the set that went in', async () => {
    const { simulator, trusted } = await refreshed()
    const before = structuredClone(trusted.floors)
    simulator.timestamp.version += 1
    const next = acceptTimestamp(trusted, simulator.render('timestamp'), simulator.now)
    expect(next.timestamp?.version).toBe(6)
    expect(trusted.timestamp.version).toBe(5)
    expect(trusted.floors).toEqual(before)
  })
})

describe('the signed time', () => {
  test('may be five minutes ahead of the clock, and no more', async () => {
    const { simulator, trusted } = await refreshed()
    signedAt(simulator, simulator.now + 5 * minuteMs)
    const next = await simulator.refresh(trusted)
    expect(next.trusted.floors.signedAt).toBe(simulator.now + 5 * minuteMs)
    signedAt(simulator, simulator.now + 5 * minuteMs + 1000)
    const refusal = await expectRefusal(
      () => simulator.refresh(next.trusted),
      'CLOCK_WRONG',
      'timestamp version 7 was signed 5 min ahead of the clock of this machine',
    )
    expect(refusal.facts.next).toBe('Check the clock of this machine, then that of the mirror.')
  })

  test('once verified, the clock may be five minutes behind it, and no more', async () => {
    const { simulator, trusted } = await refreshed()
    signedAt(simulator, simulator.now)
    const next = await simulator.refresh(trusted)
    await simulator.refresh(next.trusted, simulator.now - 5 * minuteMs)
    const late = simulator.now - 5 * minuteMs - 1
    await expectRefusal(
      () => simulator.refresh(next.trusted, late),
      'CLOCK_WRONG',
      'behind a signed time that was already verified',
    )
    await expectRefusal(
      () => requireUnexpired(next.trusted, late),
      'CLOCK_WRONG',
      'behind a signed time',
    )
    await expectRefusal(
      () => simulator.refresh(simulator.trust(next.trusted.floors), late),
      'CLOCK_WRONG',
      'behind a signed time',
    )
  })

  test('cannot be used to unfreeze an expired list by turning the clock back', async () => {
    const { simulator, trusted } = await refreshed()
    signedAt(simulator, simulator.now)
    const next = await simulator.refresh(trusted)
    await expectRefusal(
      () => requireUnexpired(next.trusted, simulator.now - 40 * 24 * 60 * minuteMs),
      'CLOCK_WRONG',
      '40 d behind',
    )
  })

  test('never locks a correct clock out after one wrong jump', async () => {
    const { simulator, trusted } = await refreshed()
    signedAt(simulator, simulator.now)
    // The clock stood ten days ahead for one refresh; what counts is what the mirror signed.
    const ahead = await simulator.refresh(trusted, simulator.now + 10 * 24 * 60 * minuteMs)
    await simulator.refresh(ahead.trusted, simulator.now)
  })

  test('is not raised by a timestamp that is refused', async () => {
    const { simulator, trusted } = await refreshed()
    signedAt(simulator, simulator.now)
    simulator.timestamp.expires = utc(simulator.now - 1000)
    await expectRefusal(() => simulator.refresh(trusted), 'EXPIRED', 'timestamp version 6 expired')
    expect(trusted.floors.signedAt).toBe(0)
  })

  test('may be older than the last one', async () => {
    const { simulator, trusted } = await refreshed()
    signedAt(simulator, simulator.now)
    const next = await simulator.refresh(trusted)
    signedAt(simulator, simulator.now - 60 * minuteMs)
    expect((await simulator.refresh(next.trusted)).trusted.floors.signedAt).toBe(simulator.now)
  })

  test('survives a rotation of keys', async () => {
    const { simulator, trusted } = await refreshed()
    const floors: Floors = { ...trusted.floors, signedAt: simulator.now }
    simulator.renewRoot(() => simulator.setKeys('timestamp', simulator.signersOf('snapshot')))
    const next = await simulator.refresh({ ...trusted, floors })
    expect(next.trusted.floors.signedAt).toBe(simulator.now)
  })
})

describe('the time at which the mirror last saw the index', () => {
  test('is asked for at use, where a limit is given', async () => {
    const { simulator, trusted } = await refreshed()
    simulator.timestamp.version += 1
    simulator.timestamp['x-tufgate'] = {
      signed: utc(simulator.now),
      'index-seen': utc(simulator.now - 60 * minuteMs),
    }
    const next = await simulator.refresh(trusted)
    requireUnexpired(next.trusted, simulator.now)
    requireUnexpired(next.trusted, simulator.now, 60 * minuteMs)
    const refusal = await expectRefusal(
      () => requireUnexpired(next.trusted, simulator.now, 60 * minuteMs - 1),
      'INDEX_UNSEEN',
      'the mirror has not seen its index for 1 h',
    )
    expect(refusal.facts).toMatchObject({ role: 'timestamp', found: '2026-06-01T11:00:00Z' })
  })

  test('is not asked for where the repository does not sign it', async () => {
    const { simulator, trusted } = await refreshed()
    requireUnexpired(trusted, simulator.now, 1)
  })
})
