import { availableParallelism } from 'node:os'
import { expect, test } from 'vitest'
import type { Attack } from '../../scripts/attacks/attack.ts'
import { runInLanes } from '../../scripts/attacks/lanes.ts'

type Part = Pick<Attack, 'waitS' | 'isInTurn'>

function pretend(part: Part, name: string): { readonly attack: Attack } {
  return {
    attack: {
      row: 'A1a',
      name,
      pips: 'machine',
      alone: 'nothing to compare with',
      behind: () => Promise.reject(new Error('nobody asks it')),
      judge: () => [],
      ...part,
    },
  }
}

/** Names in the order of their starts, and the most that were under way at a time. */
async function watch(parts: readonly Part[]): Promise<{ begun: string[]; most: number }> {
  const begun: string[] = []
  let [now, most] = [0, 0]
  await runInLanes(
    parts.map((part, at) => pretend(part, String(at))),
    async ({ attack }) => {
      begun.push(attack.name)
      now += 1
      most = Math.max(most, now)
      await new Promise(setImmediate)
      now -= 1
    },
  )
  return { begun, most }
}

const many = 200

test.each([
  ['that keep a processor busy: one for each', {}, availableParallelism()],
  ['that wait: several for each', { waitS: 20 }, 8 * availableParallelism()],
  ['that share a proxy: one after the other', { isInTurn: true as const }, 1],
])('makes so many attacks at a time, %s', async (_, part, wanted) => {
  const { begun, most } = await watch(Array<Part>(many).fill(part))
  expect(most).toBe(Math.min(wanted, many))
  expect(new Set(begun).size).toBe(many)
})

test('begins with those that wait the longest', async () => {
  const { begun } = await watch([{ waitS: 20 }, { waitS: 60 }, { waitS: 30 }])
  expect(begun).toEqual(['1', '2', '0'])
})

test('makes those of each kind beside the others', async () => {
  const { most } = await watch([{}, { waitS: 20 }, { isInTurn: true }])
  expect(most).toBe(3)
})
