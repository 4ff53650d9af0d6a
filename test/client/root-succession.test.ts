import { describe, expect, test } from 'vitest'
import type { Bytes } from '../../src/base/bytes.ts'
import { sha256Hex } from '../../src/base/digest.ts'
import { requireSuccessor, type EarlierPin } from '../../src/client/root-succession.ts'
import { noFloors, type Floors } from '../../src/tuf/floors.ts'
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

  test('is refused when the saved chain was replaced on disk', async () => {
    const foreign = new TufSimulator()
    const earlier = pinOf(new Map([[1, foreign.publishedRoots.get(1) ?? first]]))
    await expect(requireSuccessor(earlier, foreign.renewRoot())).rejects.toMatchObject({
      code: 'ROOT_CHANGED',
    })
  })
})
