/** The fuzzer for a few seconds with a fixed seed: that it works, and that it finds what is wrong. */

import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { allTargets } from '../../scripts/fuzz/all-targets.ts'
import { findingKey, type TargetResult } from '../../scripts/fuzz/finding.ts'
import { findDifference, knownDifferences } from '../../scripts/fuzz/known-differences.ts'
import { makeInput, runTarget, tryInput, type Outcome } from '../../scripts/fuzz/run-target.ts'
import { requireRule, type FuzzTarget } from '../../scripts/fuzz/target.ts'
import { DecodeError } from '../../src/base/decode.ts'
import { runCommand } from '../support/program.ts'

const main = join(import.meta.dirname, '..', '..', 'scripts', 'fuzz', 'main.ts')
const budget = { seed: 1, seconds: 20, maxInputs: 2000 }

const key = (message: string): string => findingKey({ kind: 'rule', message })

/** A parser with a fault in it that only input of an odd kind meets. */
function seedBug(bug: (text: string) => void, name = 'seeded'): FuzzTarget {
  return {
    name,
    rule: 'none',
    seeds: () => ['{"name":"foo","size":7}', 'a=b'],
    run: (input) => {
      const text = Buffer.from(input).toString()
      bug(text)
      throw new DecodeError('refused')
    },
  }
}

const run = (target: FuzzTarget): Promise<TargetResult> =>
  runTarget(target, budget, () => undefined)

describe('the fuzzer', () => {
  test('finds nothing in a few inputs for each target, and says so by its exit code', async () => {
    const args = [main, '--seed', '1', '--inputs', '25', '--seconds', '60', '--json']
    const { code, stdout, stderr } = await runCommand(process.execPath, args)
    expect(stderr).toBe('')
    const { results } = JSON.parse(stdout) as { results: readonly TargetResult[] }
    expect(results.flatMap(({ findings }) => findings)).toEqual([])
    expect(results.map(({ target }) => target)).toEqual(allTargets.map(({ name }) => name))
    expect(code).toBe(0)
  })

  test('finds an exception without a code, and shortens the input', async () => {
    const { findings } = await run(
      seedBug((text) => {
        if (text.includes('__proto__')) throw new TypeError('not a function')
      }),
    )
    expect(findings).toHaveLength(1)
    expect(findings[0]).toMatchObject({ kind: 'exception', input: '"__proto__"' })
    expect(findings[0]?.message).toContain('TypeError: not a function')
  })

  test('finds a rule that is broken', async () => {
    const { findings } = await run(
      seedBug((text) => requireRule(!text.includes('\0'), 'a NUL passes')),
    )
    expect(findings).toMatchObject([{ kind: 'rule', message: 'a NUL passes' }])
  })

  test('finds what is not linear: long runs are among the inputs', async () => {
    let isSlow = true
    const { findings } = await run(
      seedBug((text) => {
        if (text.length < 40_000 || !isSlow) return
        isSlow = false
        const end = process.threadCpuUsage().user + 1_200_000
        while (process.threadCpuUsage().user < end);
      }),
    )
    expect(findings[0]).toMatchObject({ kind: 'slow' })
  })

  test('finds what takes memory out of all proportion', async () => {
    const { findings } = await run(
      seedBug((text) => {
        if (text.includes('9007199254740993')) Buffer.alloc(60_000_000)
      }),
    )
    expect(findings[0]).toMatchObject({ kind: 'memory' })
  })

  test('makes the same input again from seed and number', () => {
    const target = seedBug(() => undefined)
    const make = (number: number, seed = 7): string =>
      Buffer.from(makeInput(target, target.seeds(), { seed, number })).toString('hex')
    expect(make(3)).toBe(make(3))
    expect(new Set([make(3), make(4), make(3, 8)]).size).toBe(3)
  })

  test('reports one fault once, whatever texts and numbers are in it', () => {
    expect(key('12 is not "a"')).toBe(key('7 is not "b\\"c"'))
    expect(key('a')).not.toBe(key('b'))
  })

  test.each(allTargets.map((target) => [target.name, target] as const))(
    'bends good inputs: %s reads at least one of its own',
    async (_name, target) => {
      const close = await target.open?.()
      try {
        const outcomes: Outcome[] = []
        for (const seed of target.seeds()) {
          // oxlint-disable-next-line no-await-in-loop -- one input at a time, as the fuzzer does
          outcomes.push(await tryInput(target, Uint8Array.from(Buffer.from(seed))))
        }
        expect(outcomes.flatMap(({ fault }) => fault ?? [])).toEqual([])
        const isMade = target.make !== undefined
        expect(isMade || outcomes.some(({ name }) => name !== 'refused')).toBe(true)
      } finally {
        await close?.()
      }
    },
  )

  test('says how it is used, and refuses what it does not know', async () => {
    const help = await runCommand(process.execPath, [main, '--help'])
    expect(help.stdout).toContain('Example: npm run fuzz -- --seconds 300 --target tuf --seed 7')
    const unknown = await runCommand(process.execPath, [main, '--target', 'nothing'])
    expect(unknown).toMatchObject({ code: 2 })
    expect(unknown.stderr).toContain('There is no target nothing; --list names all.')
  })
})

describe('a difference between tufgate and tuf-js', () => {
  const published = { first: new Uint8Array(), answers: new Map(), path: 'a', changes: [] }
  const refused = { kind: 'refused', found: '' } as const
  const accepted = { kind: 'accepted', found: 'nothing', problem: '' } as const
  const said = (problem: string) => ({ ...refused, problem })

  test('that nobody has explained is none that is known', () => {
    const ours = { ...refused, problem: 'EXPIRED: timestamp has expired' }
    expect(findDifference({ ours, theirs: accepted, published })).toBeUndefined()
    const theirs = { ...refused, problem: 'ExpiredMetadataError: snapshot.json is expired' }
    expect(findDifference({ ours: accepted, theirs, published })).toBeUndefined()
    const other = { ...accepted, found: '2 aa' }
    expect(findDifference({ ours: accepted, theirs: other, published })).toBeUndefined()
  })

  const publishing = (name: string, signed: object) => ({
    ...published,
    answers: new Map([[name, Buffer.from(JSON.stringify({ signatures: [], signed }))]]),
  })

  const withPattern = (pattern: string) =>
    publishing('2.targets.json', { delegations: { roles: [{ name: 'x', paths: [pattern] }] } })

  test('that is known has a name, and a reason that cites a rule', () => {
    const ours = {
      ...refused,
      problem: 'MALFORMED: targets is malformed: signed.expires: expected a time as X',
    }
    const odd = publishing('2.targets.json', { expires: '2030-02-30T00:00:00Z' })
    expect(findDifference({ ours, theirs: accepted, published: odd })).toBe('form of a time')
    const names = knownDifferences.map(({ name }) => name)
    expect(new Set(names).size).toBe(names.length)
    for (const { why } of knownDifferences) expect(why).toMatch(/^(?:TUF|TAP|RFC) \d.*\.$/)
  })

  test('whose reason is not in the files is a finding, whatever tufgate says', () => {
    const sound = publishing('2.targets.json', {
      expires: '2030-01-01T00:00:00Z',
      version: 2,
      targets: { a: { length: 3, hashes: { sha256: 'a1'.repeat(32) } } },
    })
    for (const problem of [
      'signed.expires: expected a time as X',
      'signed.version: expected an integer of at least 1, found -1',
      'member "version" stands twice in one object',
      'signed.targets.a.hashes: no hash is listed',
      'signed.targets.a.hashes.sha256: not a digest of sha256',
      'signed.delegations: expected either roles or succinct_roles',
      'signed.delegations.roles.[0]: expected either paths or path_hash_prefixes',
      'signed.delegations.roles.[0].paths.[0]: a bracket in the pattern is not closed',
    ]) {
      const ours = said(`MALFORMED: targets is malformed: ${problem}`)
      expect(findDifference({ ours, theirs: accepted, published: sound })).toBeUndefined()
    }
    const threshold = said(
      'SIGNATURE_THRESHOLD: targets is signed by 1 of the 2 keys that root demands',
    )
    expect(findDifference({ ours: threshold, theirs: accepted, published: sound })).toBeUndefined()
    for (const problem of [
      'Error: constructor was signed by 0/1 keys',
      'Error: Unable to load targets error Error: targets was signed by 0/1 keys',
      'TypeError: keyval must be a string record',
      'Error: Hash algorithm md5 not supported',
    ]) {
      const theirs = said(problem)
      expect(findDifference({ ours: accepted, theirs, published: sound })).toBeUndefined()
    }
  })

  test('in the language of patterns is known where tuf-js matches otherwise, and nowhere else', () => {
    const other = { ...accepted, found: '2 aa' }
    const find = (pattern: string) =>
      findDifference({ ours: accepted, theirs: other, published: withPattern(pattern) })
    expect(find('{a,b}')).toBe('language of patterns')
    expect(find('a')).toBeUndefined()
    expect(find('[a-c]')).toBeUndefined()
  })
})
