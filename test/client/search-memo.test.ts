import { beforeEach, describe, expect, test } from 'vitest'
import { SearchMemo } from '../../src/client/search-memo.ts'
import { noFloors } from '../../src/tuf/floors.ts'
import type { Search } from '../../src/tuf/search.ts'
import { trustRoot, type TrustedSet } from '../../src/tuf/trusted-set.ts'
import { TufSimulator } from '../support/tuf-simulator.ts'

const now = Date.parse('2026-05-01T12:00:00Z')
const found: Search = {
  target: { length: 3, hashes: new Map([['sha256', 'ab']]) },
  role: 'bins-0a',
  visited: [
    { name: 'targets', version: 1, expires: now + 5000 },
    { name: 'bins-0a', version: 4, expires: now + 1000 },
  ],
}

let memo: SearchMemo
let trusted: TrustedSet
let searches: number

beforeEach(() => {
  memo = new SearchMemo()
  trusted = trustRoot(new TufSimulator().publishRoot(), noFloors)
  searches = 0
})

function search(): Promise<Search> {
  searches += 1
  return Promise.resolve(found)
}

function fail(): Promise<Search> {
  return Promise.reject(new Error('no role'))
}

describe('an answer of the search', () => {
  test('is kept for the trusted set in which it was found', async () => {
    for (let at = 0; at < 3; at += 1) {
      expect(await memo.find(trusted, 'a', now, search)).toMatchObject({ role: 'bins-0a' })
    }
    expect(searches).toBe(1)
    await memo.find(trusted, 'b', now, search)
    expect(searches).toBe(2)
  })

  test('is asked again in another trusted set, and when that one is gone', async () => {
    const other = { ...trusted }
    await memo.find(trusted, 'a', now, search)
    await memo.find(other, 'a', now, search)
    await memo.find(trusted, 'a', now, search)
    expect(searches).toBe(3)
  })

  test('does not outlive the first role on its way', async () => {
    await memo.find(trusted, 'a', now, search)
    await memo.find(trusted, 'a', now + 999, search)
    expect(searches).toBe(1)
    await memo.find(trusted, 'a', now + 1000, search)
    expect(searches).toBe(2)
  })

  test('that came late for an older trusted set is not taken for the newer one', async () => {
    const older = { ...trusted }
    const answers: (() => void)[] = []
    const late = memo.find(older, 'a', now, async () => {
      await new Promise<void>((resolve) => answers.push(resolve))
      return search()
    })
    await memo.find(trusted, 'b', now, search)
    for (const answer of answers) answer()
    await late
    await memo.find(trusted, 'a', now, search)
    expect(searches).toBe(3)
  })

  test('is not kept where the search failed', async () => {
    await expect(memo.find(trusted, 'a', now, fail)).rejects.toThrow('no role')
    expect(await memo.find(trusted, 'a', now, search)).toMatchObject({ role: 'bins-0a' })
  })

  test('is forgotten when thousands of others were asked since', async () => {
    await memo.find(trusted, 'first', now, search)
    for (let at = 0; at < 4096; at += 1) await memo.find(trusted, `p${at}`, now, search)
    searches = 0
    await memo.find(trusted, 'first', now, search)
    expect(searches).toBe(1)
  })
})
