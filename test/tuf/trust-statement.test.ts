import { describe, expect, test } from 'vitest'
import { encodeUtf8 } from '../../src/base/bytes.ts'
import { DecodeError } from '../../src/base/decode.ts'
import {
  compareStatements,
  floorsOf,
  parseStatement,
  renderStatement,
  type TrustStatement,
} from '../../src/tuf/trust-statement.ts'

const digest = (letter: string): string => letter.repeat(64)

const statement: TrustStatement = {
  root: digest('a'),
  rootVersion: 3,
  epoch: 2,
  timestamp: { version: 41, sha256: digest('b') },
  snapshot: { version: 40, sha256: digest('c') },
  signedAt: Date.parse('2026-05-01T12:00:00Z'),
  journal: `12:${digest('d')}`,
}

const other = (change: Partial<TrustStatement>): TrustStatement => ({ ...statement, ...change })

describe('what is trusted, as a document', () => {
  test('is read back as it was written', () => {
    expect(parseStatement(encodeUtf8(renderStatement(statement)))).toEqual(statement)
    const { journal: _, ...others } = statement
    const bare = { ...others, signedAt: 0 }
    expect(parseStatement(encodeUtf8(renderStatement(bare)))).toEqual(bare)
  })

  test.each([
    ['another format', { format: 2 }, 'format: expected 1, found 2'],
    ['no root', { root: undefined }, 'root: expected text'],
    ['a root in capitals', { root: digest('A') }, 'root: expected a sha256'],
    ['a negative version', { 'root-version': -1 }, 'root-version: expected an integer'],
    ['a version beyond all numbers', { epoch: 2 ** 60 }, 'epoch: expected an integer'],
    ['a version as text', { timestamp: { version: '41' } }, 'timestamp.version: expected'],
    ['a head that is none', { journal: '0:x' }, 'journal: expected SEQUENCE:SHA256'],
    ['a time that is none', { signed: 'yesterday' }, 'signed: expected a time'],
  ])('is refused with %s', (_, change, problem) => {
    const document = { ...(JSON.parse(renderStatement(statement)) as object), ...change }
    const parse = (): unknown => parseStatement(encodeUtf8(JSON.stringify(document)))
    expect(parse).toThrow(DecodeError)
    expect(parse).toThrow(problem)
  })

  test('is a floor of root, timestamp and snapshot, in its epoch', () => {
    expect(floorsOf(statement)).toEqual({
      versions: new Map([
        ['root', 3],
        ['timestamp', 41],
        ['snapshot', 40],
      ]),
      signedAt: statement.signedAt,
      epoch: 2,
    })
  })
})

describe('two of them', () => {
  test('are of the same list, though the timestamp was renewed in between', () => {
    const renewed = other({ timestamp: { version: 42, sha256: digest('e') } })
    expect(compareStatements(statement, statement)).toEqual({ kind: 'same' })
    expect(compareStatements(statement, renewed)).toEqual({ kind: 'same' })
  })

  test.each([
    ['timestamp', 41],
    ['snapshot', 40],
  ] as const)('A14: one version of %s with two contents is two lists', (role, version) => {
    const forked = other({ [role]: { version, sha256: digest('f') } })
    expect(compareStatements(statement, forked)).toEqual({ kind: 'split', role, version })
    expect(compareStatements(forked, statement)).toEqual({ kind: 'split', role, version })
  })

  test('of other versions, other roots or before a rotation tell nothing', () => {
    const newer = other({
      timestamp: { version: 43, sha256: digest('e') },
      snapshot: { version: 41, sha256: digest('f') },
    })
    expect(compareStatements(statement, newer)).toEqual({ kind: 'untold', reason: 'versions' })
    const rotated = other({ epoch: 3, snapshot: { version: 40, sha256: digest('f') } })
    expect(compareStatements(statement, rotated)).toEqual({ kind: 'untold', reason: 'versions' })
    const root = digest('9')
    expect(compareStatements(statement, other({ root }))).toEqual({
      kind: 'untold',
      reason: 'roots',
    })
  })
})
