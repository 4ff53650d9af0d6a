/** TUF metadata: the form of each role, and the search among delegations. */

import { encodeUtf8, type Bytes } from '../../../src/base/bytes.ts'
import { encodeCanonicalDocument } from '../../../src/base/canonical-json.ts'
import { sha256Hex } from '../../../src/base/digest.ts'
import { parseJson } from '../../../src/base/strict-json.ts'
import { VerifyError } from '../../../src/base/errors.ts'
import { findDelegations, findSigners } from '../../../src/tuf/delegation.ts'
import type { Delegations, DelegatedRole } from '../../../src/tuf/metadata.ts'
import { isPathMatch, parsePathPattern } from '../../../src/tuf/path-pattern.ts'
import { parseRoot, parseSnapshot, parseTargets, parseTimestamp } from '../../../src/tuf/parse.ts'
import type { Unverified } from '../../../src/tuf/parse.ts'
import { TufSimulator } from '../../../test/support/tuf-simulator.ts'
import { readText, requireRule, requireSame, type FuzzTarget } from '../target.ts'

const words = ['"threshold":0,', '"keyids":[]', '"version":1.0', '"spec_version":"2.0.0"', '1.0.34']

function buildSimulator(): TufSimulator {
  const simulator = new TufSimulator({ hashes: true })
  simulator.addTarget('simple/foo/index.json', '{}')
  simulator.delegate('owner', { paths: ['simple/foo/*', 'files/f?o/[a-z].whl'], terminating: true })
  simulator.delegate('prefixed', { pathHashPrefixes: ['0', 'a1', 'ffff'] })
  simulator.publish()
  return simulator
}

function defineRole(role: string, parse: (bytes: Bytes) => Unverified<object>): FuzzTarget {
  return {
    name: `tuf-${role}`,
    rule: 'well-formed metadata reads the same in canonical form; the rest is refused as such',
    seeds: () => [buildSimulator().render(role)],
    words,
    isRefusal: (error) => error instanceof VerifyError,
    run: (input) => {
      const { claimed, message, signatures } = parse(input)
      const again = parse(encodeUtf8(encodeCanonicalDocument(parseJson(input))))
      requireSame(again.message, message, 'another message to sign')
      requireSame(again.signatures, signatures, 'other signatures')
      requireSame(again.claimed, claimed, 'another content')
    },
  }
}

const paths = [
  'simple/foo/index.json',
  'simple/foo/',
  'files/foo/a.whl',
  'a',
  '',
  '/',
  'simple//index.json',
  '__proto__',
  '\u{1f600}/x',
]

const delegations: FuzzTarget = {
  name: 'tuf-delegations',
  rule: 'the index over delegations finds what a look at each role finds, in its order',
  seeds: () => {
    const bins = new TufSimulator()
    bins.delegateBins({ bitLength: 4 })
    return [buildSimulator().render('targets'), bins.render('targets')]
  },
  words: [...words, '*', '?', '[!a-z]', '[]a]', '**', '"bit_length":32', '"path_hash_prefixes":["'],
  isRefusal: (error) => error instanceof VerifyError,
  run: (input) => {
    const { delegations: found } = parseTargets(input, 'targets').claimed
    if (found === undefined) return 'none'
    for (const path of [...paths, readText(input.subarray(0, 30))]) requireSameRoles(found, path)
    return found.bins === undefined ? 'roles' : 'bins'
  },
}

function requireSameRoles(delegated: Delegations, path: string): void {
  const found = findDelegations(delegated, path).map(({ name }) => name)
  for (const name of found) {
    requireRule(findSigners(delegated, name) !== undefined, 'a role that was found has no keys')
  }
  if (delegated.bins !== undefined) return
  const expected = [...delegated.roles.values()].filter((role) => isTrustedWith(role, path))
  requireSame(
    found,
    expected.map(({ name }) => name),
    'other roles',
  )
}

function isTrustedWith({ scope }: DelegatedRole, path: string): boolean {
  return scope.kind === 'patterns'
    ? scope.patterns.some((pattern) => isPathMatch(pattern, path))
    : scope.prefixes.some((prefix) => sha256Hex(encodeUtf8(path)).startsWith(prefix))
}

const pattern: FuzzTarget = {
  name: 'tuf-path-pattern',
  rule: 'a pattern matches within one segment of a path, in linear time',
  seeds: () => [
    'a*b?c/[a-z]*.whl\nabbc/x.whl',
    '*/*\na/b',
    '[!a]\nb',
    '***a*a*a*\naaaaaaaaaaaaaaa',
  ],
  words: ['*', '?', '[', ']', '[!', '-', '/', '\n', '*a*a*a*a'],
  run: (input) => {
    const [raw = '', path = ''] = readText(input).split('\n')
    const isMatch = isPathMatch(parsePathPattern(raw), path)
    if (isMatch) requireSame(raw.split('/').length, path.split('/').length, 'a slash was matched')
    return isMatch ? 'match' : 'other'
  },
}

export const tufTargets: readonly FuzzTarget[] = [
  defineRole('root', parseRoot),
  defineRole('timestamp', parseTimestamp),
  defineRole('snapshot', parseSnapshot),
  defineRole('targets', (bytes) => parseTargets(bytes, 'targets')),
  delegations,
  pattern,
]
