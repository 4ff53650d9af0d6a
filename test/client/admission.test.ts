import { expect, test } from 'vitest'
import { Admission } from '../../src/client/admission.ts'

/** Resolves once everything that could go on has gone on. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

test('who comes first is let in first: a small file does not overtake a large one for ever', async () => {
  const admission = new Admission({ maxConcurrent: 3, maxBytes: 100, maxWaiting: 10 })
  const order: string[] = []
  const enter = async (name: string, bytes: number): Promise<() => void> => {
    const leave = await admission.enter(bytes)
    order.push(name)
    return leave
  }
  const leaveFirst = await enter('first', 60)
  const large = enter('large', 80)
  const small = enter('small', 10)
  await settle()
  expect(order).toEqual(['first'])
  leaveFirst()
  await Promise.all([large, small])
  expect(order).toEqual(['first', 'large', 'small'])
})

test('a place is given back once, however often it is said', async () => {
  const admission = new Admission({ maxConcurrent: 1, maxBytes: 100, maxWaiting: 10 })
  const leave = await admission.enter(1)
  const entered: number[] = []
  const others = [1, 2].map((at) => admission.enter(1).then(() => entered.push(at)))
  leave()
  leave()
  await settle()
  expect(entered).toEqual([1])
  expect(others).toHaveLength(2)
})
