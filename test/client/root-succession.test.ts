import { describe, expect, test } from 'vitest'
import type { Bytes } from '../../src/base/bytes.ts'
import { sha256Hex } from '../../src/base/digest.ts'
import { requireSuccessor, type EarlierPin } from '../../src/client/root-succession.ts'
import { noFloors, type Floors } from '../../src/tuf/floors.ts'
import { signDocument } from '../support/tuf-repository.ts'
import { createSigner } from '../support/tuf-signers.ts'
import { TufSimulator } from '../support/tuf-simulator.ts'

const simulator = new TufSimulator()
const first = simulator.publishedRoots.get(1) ?? new Uint8Array()
const second = simulator.renewRoot()
const third = simulator.renewRoot()

function pinOf(roots: ReadonlyMap<number, Bytes>, pinned: Bytes = first): EarlierPin {
  const readRoot: EarlierPin['readRoot'] = async (version) => roots.get(version)
  return { rootSha256: sha256Hex(pinned), floors: noFloors, readRoot }
}

describe('a pinned root whose file was changed', () => {
  test('is accepted where it descends from the earlier one', async () => {
    await requireSuccessor(pinOf(new Map([[1, first]])), second)
    const roots = new Map([
      [1, first],
      [2, second],
    ])
    await requireSuccessor(pinOf(roots), third)
  })

  test.each([
    ['of another mirror', new TufSimulator().renewRoot()],
    ['older than the earlier one', first],
    ['with a gap in the chain', third],
  ])('is refused when it is %s', async (_, bytes) => {
    const earlier =
      bytes === first ? pinOf(new Map([[2, second]]), second) : pinOf(new Map([[1, first]]))
    await expect(requireSuccessor(earlier, bytes)).rejects.toMatchObject({
      code: 'ROOT_CHANGED',
      facts: { found: `sha256 ${sha256Hex(bytes)}` },
    })
  })

  test('keeps the floors of the earlier one', async () => {
    const floors: Floors = { versions: new Map([['timestamp', 57]]), signedAt: 5, epoch: 0 }
    const kept = await requireSuccessor({ ...pinOf(new Map([[1, first]])), floors }, second)
    expect(kept).toEqual({
      ...floors,
      versions: new Map([
        ['timestamp', 57],
        ['root', 2],
      ]),
    })
  })

  test('A10: forgets what a removed key has driven high, so that the new root is a way out', async () => {
    const attacked = new TufSimulator()
    const before = attacked.publishedRoots.get(1) ?? new Uint8Array()
    const floors: Floors = { versions: new Map([['timestamp', 2 ** 31]]), signedAt: 5, epoch: 0 }
    const rotated = attacked.renewRoot(() => attacked.setKeys('timestamp', [createSigner()]))
    const earlier = { ...pinOf(new Map([[1, before]]), before), floors }
    expect(await requireSuccessor(earlier, rotated)).toEqual({
      versions: new Map([['root', 2]]),
      signedAt: 5,
      epoch: 2,
    })
  })

  describe('while a root of the same version was followed, which a thief of root keys has made', () => {
    const robbed = new TufSimulator()
    const before = robbed.publishedRoots.get(1) ?? new Uint8Array()
    const genuine = { ...structuredClone(robbed.root), version: 2 }
    const own = createSigner()
    const evil = robbed.renewRoot(() => {
      robbed.setKeys('timestamp', [own])
      robbed.setKeys('snapshot', [own])
    })
    // He has gone on to root 5, and his versions stand behind it.
    const versions = new Map([
      ['root', 5],
      ['timestamp', 2 ** 31],
      ['claimed', 2 ** 31],
    ])
    const floors: Floors = { versions, signedAt: 5, epoch: 2 }
    const signed = signDocument(genuine, robbed.signersOf('root'))

    test('A11: forgets what his keys have driven high, so that the root that is given by hand is a way out', async () => {
      const roots = new Map([
        [1, before],
        [2, evil],
      ])
      expect(await requireSuccessor({ ...pinOf(roots, before), floors }, signed)).toEqual({
        versions: new Map([['root', 2]]),
        signedAt: 5,
        epoch: 2,
      })
    })

    test('keeps the floors where that root names the same keys, and other people have signed it', async () => {
      const twice = signDocument(genuine, [...robbed.signersOf('root'), own])
      const roots = new Map([
        [1, before],
        [2, twice],
      ])
      const { versions: kept } = await requireSuccessor({ ...pinOf(roots, before), floors }, signed)
      expect(kept.get('timestamp')).toBe(2 ** 31)
    })

    test.each([
      ['verifies no more', signDocument(genuine, [own])],
      ['is no root', new TextEncoder().encode('{"signed":')],
    ])('keeps the floors where that root, as it lies on the disk, %s', async (_, foreign) => {
      const roots = new Map([
        [1, before],
        [2, foreign],
      ])
      const { versions: kept } = await requireSuccessor({ ...pinOf(roots, before), floors }, signed)
      expect(kept.get('timestamp')).toBe(2 ** 31)
    })
  })

  test('is refused when the saved chain was replaced on disk', async () => {
    const foreign = new TufSimulator()
    const earlier = pinOf(new Map([[1, foreign.publishedRoots.get(1) ?? first]]))
    await expect(requireSuccessor(earlier, foreign.renewRoot())).rejects.toMatchObject({
      code: 'ROOT_CHANGED',
    })
  })
})
