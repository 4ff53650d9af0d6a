import { describe, expect, test } from 'vitest'
import { joinFloors, type Floors } from '../../src/tuf/floors.ts'

function floorsOf(versions: Record<string, number>, signedAt = 0, epoch = 0): Floors {
  return { versions: new Map(Object.entries(versions)), signedAt, epoch }
}

describe('floors of two states of one repository', () => {
  const left = floorsOf({ root: 2, timestamp: 9, 'bins-0': 1 }, 100)
  const right = floorsOf({ root: 3, timestamp: 5, 'bins-1': 7 }, 50)

  test('of one epoch are the higher of each, whichever comes first', () => {
    const joined = floorsOf({ root: 3, timestamp: 9, 'bins-0': 1, 'bins-1': 7 }, 100)
    expect(joinFloors(left, right)).toEqual(joined)
    expect(joinFloors(right, left)).toEqual(joined)
  })

  test('of two epochs are those of the newer one, but root and time never go back', () => {
    const rotated = floorsOf({ root: 2, timestamp: 1 }, 20, 2)
    const joined = floorsOf({ root: 3, timestamp: 1 }, 50, 2)
    expect(joinFloors(rotated, right)).toEqual(joined)
    expect(joinFloors(right, rotated)).toEqual(joined)
  })
})
