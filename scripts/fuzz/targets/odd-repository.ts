/**
 * A TUF repository of a few roles, in which some things are odd: values, signatures, versions, texts.
 * All of it follows from the dice; keys are new each time, which nothing depends on.
 */

import { encodeUtf8, type Bytes } from '../../../src/base/bytes.ts'
import { encodeCanonical } from '../../../src/base/canonical-json.ts'
import { formatUtcSeconds } from '../../../src/base/clock.ts'
import { sha256Hex } from '../../../src/base/digest.ts'
import { TufRepository } from '../../../test/support/tuf-repository.ts'
import {
  createSigner,
  createSignerFor,
  type TestSigner,
} from '../../../test/support/tuf-signers.ts'
import type { Dice } from '../dice.ts'
import { oddPatterns, oddSettings, oddValues, textChanges } from './odd-parts.ts'

export interface PublishedRepository {
  /** What clients start with. */
  readonly first: Bytes
  /** By file name. */
  readonly answers: ReadonlyMap<string, Bytes>
  /** Of the target that is looked for. */
  readonly path: string
  /** What is odd, for whoever reads a finding. */
  readonly changes: readonly string[]
}

const dayMs = 86_400_000
const target = 'simple/foo/index.json'

const names = ['a', 'b', 'c d', 'e/f', 'g%2fh'] as const

interface Making {
  readonly repository: TufRepository
  readonly dice: Dice
  readonly changes: string[]
  /** Documents that are published in place of those of the repository. */
  readonly odd: Map<string, unknown>
  /** What a text is turned into once it is signed. */
  readonly texts: Map<string, (text: string) => string>
}

export function buildOddRepository(dice: Dice, now: number): PublishedRepository {
  const repository = new TufRepository({
    now: Math.floor(now / 1000) * 1000,
    consistentSnapshot: dice.roll(4) !== 3,
    hashes: dice.roll(2) === 1,
  })
  const making: Making = { repository, dice, changes: [], odd: new Map(), texts: new Map() }
  const first = repository.publishRoot()
  addRoles(making)
  repository.publish()
  const count = dice.roll(4)
  for (let done = 0; done < count; done += 1) change(making)
  return {
    first: bendFirst(making, first),
    answers: render(making),
    path: target,
    changes: making.changes,
  }
}

function bendFirst({ texts }: Making, first: Bytes): Bytes {
  const bend = texts.get('first')
  return bend === undefined ? first : encodeUtf8(bend(Buffer.from(first).toString()))
}

function addRoles({ repository, dice, changes }: Making): void {
  const shape = dice.roll(5)
  if (shape === 0) {
    repository.addTarget(target, '{}')
    return
  }
  if (shape === 1) {
    repository.delegateBins({ bitLength: 1 + dice.roll(3) })
    for (const name of repository.delegated.keys()) repository.addTarget(target, '{}', name)
    return
  }
  const scopes = [
    'simple/*/*',
    'simple/foo/*',
    '*',
    'simple/[a-f]oo/*',
    'simple/foo/index.jso?',
    'other/*',
  ]
  const roles = 1 + dice.roll(3)
  for (let number = 0; number < roles; number += 1) {
    const name = dice.roll(20) === 19 ? dice.pick(['10', '9', 'constructor']) : dice.pick(names)
    if (repository.delegated.has(name)) continue
    const isHashed = dice.roll(4) === 3
    const scope = dice.pick(scopes)
    const prefix = sha256Hex(encodeUtf8(target)).slice(0, 1 + dice.roll(3))
    const isTerminating = dice.roll(2) === 1
    const from =
      number > 0 && dice.roll(3) === 2
        ? ([...repository.delegated.keys()][0] ?? 'targets')
        : 'targets'
    const paths = isHashed ? { pathHashPrefixes: [prefix] } : { paths: [scope ?? '*'] }
    repository.delegate(name, { ...paths, from, terminating: isTerminating })
    if (dice.roll(2) === 1) repository.addTarget(target, `{"by":${number}}`, name)
    changes.push(`${from} delegates ${isHashed ? prefix : scope} to ${name}`)
  }
}

/** Those of which something can be odd. */
function listRoles({ repository }: Making): string[] {
  return ['timestamp', 'snapshot', 'targets', ...repository.delegated.keys()]
}

function change(making: Making): void {
  const { dice } = making
  const role = dice.pick(listRoles(making)) ?? 'targets'
  const name = dice.pick(Object.keys(acts)) ?? 'value'
  const said = acts[name]?.(making, role)
  if (said !== undefined) making.changes.push(`${role}: ${said}`)
}

type Act = (making: Making, role: string) => string | undefined

const acts: Readonly<Record<string, Act>> = {
  value: (making, role) => changeMember(making, role, 'set'),
  value2: (making, role) => changeMember(making, role, 'set'),
  gone: (making, role) => changeMember(making, role, 'delete'),
  extra: (making, role) => changeMember(making, role, 'add'),
  expires: ({ repository, dice, odd }, role) => {
    const time = dice.pick([
      formatUtcSeconds(repository.now - dayMs),
      '2030-01-01T00:00:00.000Z',
      '2030-01-01',
      '2030-01-01T00:00:00+05:00',
      'Jan 1 2030',
      'soon',
      '2030-02-30T00:00:00Z',
      '2030-01-01T24:00:00Z',
      '9999-12-31T23:59:59Z',
    ])
    odd.set(role, { ...documentOf(repository, odd, role), expires: time })
    return `expires ${time}`
  },
  version: ({ repository, dice, odd }, role) => {
    const version = dice.pick([0, -1, 1.5, 2 ** 53, 7, '1', 1])
    odd.set(role, { ...documentOf(repository, odd, role), version })
    return `version ${JSON.stringify(version)}`
  },
  spec: ({ repository, dice, odd }, role) => {
    const version = dice.pick(['2.0.0', '1', '1.0', '1.0.0.0', '1.99.9', '01.0.0', '', '1.x'])
    odd.set(role, { ...documentOf(repository, odd, role), spec_version: version })
    return `spec_version ${version}`
  },
  stranger: ({ repository }, role) => {
    repository.signers.set(role, [createSigner()])
    return 'signed by a stranger'
  },
  nobody: ({ repository }, role) => {
    repository.signers.set(role, [])
    return 'signed by nobody'
  },
  twoIds: ({ repository }, role) => {
    const [signer] = repository.signersOf(role)
    if (signer === undefined) return undefined
    const twin = createSignerFor(signer.privateKey, 'ed25519', 'ab'.repeat(32))
    if (!isTop(role)) return undefined
    repository.setKeys(role, [signer, twin], 2)
    repository.renewRoot()
    return 'one key under two ids, threshold 2'
  },
  threshold: ({ repository, dice }, role) => {
    if (!isTop(role)) return undefined
    const threshold = dice.pick([2, 0, -1, 1.5])
    repository.root.roles[role].threshold = threshold
    if (tryRenewRoot(repository)) return `threshold ${threshold}`
    repository.root.roles[role].threshold = 1
    return undefined
  },
  rotate: ({ repository, dice }, role) => {
    if (!isTop(role)) return undefined
    const kind = dice.pick([
      'ed25519',
      'ecdsa-p256',
      'ecdsa-p384',
      'ecdsa-p256-hex',
      'ed25519',
    ] as const)
    repository.renewRoot(() => repository.setKeys(role, [createSigner(kind)]))
    return `another key: ${kind}`
  },
  pattern: ({ repository, dice, odd }) => {
    const document = structuredClone(documentOf(repository, odd, 'targets'))
    const place = dice.pick(listPlaces(document).filter(({ path }) => path.includes('.paths.')))
    if (place === undefined) return undefined
    const value = dice.pick(oddPatterns)
    place.holder[place.name] = value
    odd.set('targets', document)
    return `pattern ${value}`
  },
  scheme: ({ repository, dice, odd }) => {
    const document = structuredClone(documentOf(repository, odd, 'targets'))
    const wanted = dice.pick([
      'keytype',
      'scheme',
      'public',
      'threshold',
      'terminating',
      'bit_length',
    ])
    const place = dice.pick(listPlaces(document).filter(({ name }) => name === wanted))
    if (place === undefined) return undefined
    const value = dice.pick(oddSettings)
    place.holder[place.name] = value
    odd.set('targets', document)
    return `${place.path} ${JSON.stringify(value)}`
  },
  content: ({ texts, dice }, role) => {
    const [what, bend] = dice.pick(textChanges)
    texts.set(dice.roll(6) === 5 ? 'first' : role, bend)
    return `text ${what}`
  },
}

function isTop(role: string): role is 'timestamp' | 'snapshot' | 'targets' {
  return role === 'timestamp' || role === 'snapshot' || role === 'targets'
}

/** What tufgate's own encoder refuses to sign. */
function tryRenewRoot(repository: TufRepository): boolean {
  try {
    repository.renewRoot()
    return true
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    repository.root.version -= 1
    return false
  }
}

function documentOf(
  repository: TufRepository,
  odd: Making['odd'],
  role: string,
): Record<string, unknown> {
  const known = odd.get(role)
  if (known !== undefined) return known as Record<string, unknown>
  const text = Buffer.from(repository.render(role)).toString()
  return (JSON.parse(text) as { signed: Record<string, unknown> }).signed
}

function changeMember(
  { repository, dice, odd }: Making,
  role: string,
  what: 'set' | 'delete' | 'add',
): string | undefined {
  const document = structuredClone(documentOf(repository, odd, role))
  const places = listPlaces(document)
  const place = dice.pick(places)
  if (place === undefined) return undefined
  const { holder, name, path } = place
  const value = dice.pick(oddValues)
  if (what === 'add') holder[dice.pick(['x-extra', '__proto', 'constructor', '1'])] = value
  else if (what === 'set') holder[name] = value
  else if (Array.isArray(holder)) holder.splice(Number(name), 1)
  else delete holder[name]
  odd.set(role, document)
  return `${what} ${path} ${what === 'delete' ? '' : JSON.stringify(value)}`
}

interface Place {
  readonly holder: Record<string, unknown>
  readonly name: string
  readonly path: string
}

function listPlaces(node: unknown, path = ''): Place[] {
  if (typeof node !== 'object' || node === null) return []
  return Object.entries(node).flatMap(([name, child]) => {
    const here = { holder: node as Record<string, unknown>, name, path: `${path}.${name}` }
    return [here, ...listPlaces(child, here.path)]
  })
}

/** From the inside out, so that lengths and hashes fit what is odd. */
function render(making: Making): Map<string, Bytes> {
  const { repository, odd } = making
  const answers = new Map<string, Bytes>()
  for (const [version, bytes] of repository.publishedRoots)
    answers.set(`${version}.root.json`, bytes)
  const put = (role: string, version: unknown): Bytes => {
    const bytes = renderRole(making, role)
    const file = `${encodeURIComponent(role)}.json`
    answers.set(
      repository.root.consistent_snapshot === true ? `${String(version)}.${file}` : file,
      bytes,
    )
    return bytes
  }
  const snapshot = structuredClone(documentOf(repository, odd, 'snapshot'))
  for (const role of ['targets', ...repository.delegated.keys()]) {
    const entry = findEntry(snapshot, `${role}.json`)
    const bytes = put(role, entry?.['version'] ?? documentOf(repository, odd, role)['version'])
    if (entry !== undefined) fit(entry, bytes)
  }
  odd.set('snapshot', snapshot)
  const timestamp = structuredClone(documentOf(repository, odd, 'timestamp'))
  const entry = findEntry(timestamp, 'snapshot.json')
  const bytes = put('snapshot', entry?.['version'] ?? snapshot['version'])
  if (entry !== undefined) fit(entry, bytes)
  odd.set('timestamp', timestamp)
  answers.set('timestamp.json', renderRole(making, 'timestamp'))
  return answers
}

function findEntry(
  document: Record<string, unknown>,
  file: string,
): Record<string, unknown> | undefined {
  const meta = document['meta']
  if (typeof meta !== 'object' || meta === null || !Object.hasOwn(meta, file)) return undefined
  const entry = (meta as Record<string, unknown>)[file]
  return typeof entry === 'object' && entry !== null
    ? (entry as Record<string, unknown>)
    : undefined
}

/** Where the entry still is as it was made: what is odd about it stays. */
function fit(entry: Record<string, unknown>, bytes: Bytes): void {
  if (typeof entry['length'] === 'number' && entry['length'] > 2) entry['length'] = bytes.length
  const hashes = entry['hashes']
  if (typeof hashes !== 'object' || hashes === null) return
  const sha256 = (hashes as Record<string, unknown>)['sha256']
  if (typeof sha256 === 'string' && /^[0-9a-f]{64}$/.test(sha256)) {
    entry['hashes'] = { ...hashes, sha256: sha256Hex(bytes) }
  }
}

function renderRole({ repository, odd, texts }: Making, role: string): Bytes {
  const document = documentOf(repository, odd, role)
  const text = sign(document, repository.signersOf(role))
  return encodeUtf8((texts.get(role) ?? ((same) => same))(text))
}

/** What tufgate has no canonical form for is signed in that of tuf-js. */
function sign(document: unknown, signers: readonly TestSigner[]): string {
  const message = encodeUtf8(encodeEither(document))
  const signatures = signers.map((signer) => ({ keyid: signer.keyid, sig: signer.sign(message) }))
  return JSON.stringify({ signatures, signed: document })
}

function encodeEither(document: unknown): string {
  try {
    return encodeCanonical(document)
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    return encodeLoosely(document)
  }
}

function encodeLoosely(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(encodeLoosely).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const members = Object.entries(value).toSorted(([left], [right]) => (left < right ? -1 : 1))
  const texts = members.map(([name, one]) => `${JSON.stringify(name)}:${encodeLoosely(one)}`)
  return `{${texts.join(',')}}`
}
