/**
 * A repository of the shape that a mirror publishes, and a thief: he has some of its keys and all of
 * the delivery path, and tries what he can think of on our own client.
 */

import { encodeUtf8, type Bytes } from '../../src/base/bytes.ts'
import { formatUtcSeconds } from '../../src/base/clock.ts'
import { sha256Hex } from '../../src/base/digest.ts'
import { isTufgateError } from '../../src/base/errors.ts'
import type { MatrixRole, MirrorShape, RoleShape } from '../../src/mirror/theft-matrix.ts'
import { binName } from '../../src/tuf/delegation.ts'
import { findTarget } from '../../src/tuf/search.ts'
import { acceptDelegated, noFloors, trustRoot, type TrustedSet } from '../../src/tuf/trusted-set.ts'
import { refresh, type RefreshPort } from '../../src/tuf/update.ts'
import type { Document, SnapshotDocument, TargetsDocument } from '../support/tuf-documents.ts'
import { signDocument } from '../support/tuf-repository.ts'
import { createSigner, type TestSigner } from '../support/tuf-signers.ts'
import { TufSimulator } from '../support/tuf-simulator.ts'

export const dayMs = 86_400_000
const bitLength = 2

/** Days after `now`: each role another, so that it shows which of them ends a freeze. */
const lifeDays: Readonly<Record<Exclude<MatrixRole, 'owner'>, number>> = {
  timestamp: 1,
  snapshot: 7,
  deny: 8,
  'recently-claimed': 9,
  'bins-nn': 10,
  claimed: 300,
  bins: 310,
  targets: 320,
  root: 365,
}

export type Files = ReadonlyMap<string, Bytes>
type Documents = Map<string, Document>

const recordPath = (project: string): string => `simple/${project}/index.json`
export const binOf = (project: string): string => binName('bins', bitLength, recordPath(project))

/** The owner of `owned` is the one whose keys are stolen. */
export const projects = {
  unclaimed: 'one',
  recent: 'recent',
  claimed: 'claimed',
  owned: 'owned',
} as const
/** Not claimed either, in another bin than `one`. */
export const neighbour = 'three'

export class StolenRepository {
  readonly simulator: TufSimulator
  readonly hasBinHashes: boolean
  readonly #outsider = createSigner()
  /** Of before the claims, and before the newest records. */
  readonly #before: Documents

  constructor(hasBinHashes: boolean) {
    this.hasBinHashes = hasBinHashes
    this.simulator = new TufSimulator({ hashes: true })
    const { simulator } = this
    const ofProjects = ['simple/*/*', 'files/*/*']
    simulator.delegate('deny', { paths: ['deny/*'], terminating: true })
    simulator.delegate('claimed', { paths: ofProjects })
    simulator.delegate('recently-claimed', { paths: ofProjects })
    simulator.delegate('bins', { paths: ['simple/*', ...ofProjects], terminating: true })
    simulator.delegateBins({ from: 'bins', bitLength })
    for (const project of [...Object.values(projects), neighbour])
      simulator.addTarget(recordPath(project), 'of before', binOf(project))
    this.#setLives()
    this.#publish()
    this.#before = this.#copy()
    this.#claim('claimed', projects.claimed)
    this.#claim('claimed', projects.owned)
    this.#claim('recently-claimed', projects.recent)
    for (const project of [projects.unclaimed, neighbour])
      simulator.addTarget(recordPath(project), 'genuine', binOf(project))
    this.#setLives()
    this.#publish()
  }

  get shape(): MirrorShape {
    const roles = (Object.keys(lifeDays) as (keyof typeof lifeDays)[]).map(
      (role): readonly [MatrixRole, RoleShape] => [
        role,
        {
          keyids: this.#signersOf(role).map(({ keyid }) => keyid),
          threshold: 1,
          expires: this.simulator.now + lifeDays[role] * dayMs,
          isPinned: role !== 'bins-nn' || this.hasBinHashes,
        },
      ],
    )
    return {
      roles: new Map(roles),
      projects: { claimed: 2, recentlyClaimed: 1, unclaimed: 2 },
    }
  }

  keyidsOf(roles: readonly MatrixRole[]): Set<string> {
    const held = roles.filter((role) => role !== 'owner')
    return new Set(held.flatMap((role) => this.#signersOf(role)).map(({ keyid }) => keyid))
  }

  /** A client that has seen everything, and one that comes for the first time. */
  get newClient(): TrustedSet {
    return trustRoot(this.#readRoot(), noFloors)
  }

  async returningClient(): Promise<TrustedSet> {
    const { trusted } = await this.simulator.refresh()
    return trustRoot(this.#readRoot(), trusted.floors)
  }

  /** What he delivers where he changes these documents, and signs them with whatever he has. */
  deliver(changed: Documents, stolen: readonly MatrixRole[]): Files {
    const signers = [...stolen.flatMap((role) => this.#signersOf(role)), this.#outsider]
    const { delegated } = this.simulator
    const names = ['timestamp', 'snapshot', 'targets', ...delegated.keys()]
    const genuine = names.map((role) => [role, this.simulator.render(role)] as const)
    const forged = [...changed].map(
      ([role, document]) => [role, signDocument(document, unique(signers))] as const,
    )
    return new Map([...genuine, ...forged])
  }

  /** Documents to change, with everything that leads to them; versions go up in `lifted`. */
  forge(
    change: (documents: Documents) => readonly string[],
    lifted: 'none' | 'snapshot' | 'all',
  ): Documents {
    const documents = this.#copy()
    const names = change(documents)
    const changed: Documents = new Map()
    for (const name of names) changed.set(name, documents.get(name)!)
    if (lifted === 'none') return changed
    const snapshot = documents.get('snapshot') as SnapshotDocument
    for (const name of names) {
      const document = documents.get(name)!
      if (name === 'timestamp' || name === 'snapshot') continue
      document.version += 1
      snapshot.meta[`${name}.json`] = { version: document.version }
    }
    changed.set('snapshot', snapshot)
    if (lifted === 'snapshot') return changed
    snapshot.version += 1
    const timestamp = documents.get('timestamp')!
    timestamp.version += 1
    timestamp['meta'] = { 'snapshot.json': { version: snapshot.version } }
    changed.set('timestamp', timestamp)
    return changed
  }

  /** He names himself in the place of all those to whom the role delegates. */
  takeOver({ delegations }: TargetsDocument): void {
    if (delegations === undefined) return
    const { keyid, key } = this.#outsider
    delegations.keys[keyid] = key
    for (const entry of [
      ...(delegations.roles ?? []),
      ...[delegations.succinct_roles ?? []].flat(),
    ])
      entry.keyids = [keyid]
  }

  /** Signed once, by those who have the keys: he has kept it. */
  replayed(role: string): Bytes {
    return signDocument(this.#before.get(role), this.simulator.signersOf(role))
  }

  versionBefore(role: string): number {
    return this.#before.get(role)!.version
  }

  /** The next root, in which every role has his keys; signed with what he has. */
  forgeRoot(stolen: readonly MatrixRole[], project: string): Files {
    const root = structuredClone(this.simulator.root)
    root.version += 1
    const { keyid, key } = this.#outsider
    root.keys[keyid] = key
    for (const role of Object.values(root.roles)) role.keyids = [keyid]
    const documents = this.forge((all) => {
      inject(all.get('targets') as TargetsDocument, project)
      return ['targets']
    }, 'all')
    const signers = [...stolen.flatMap((role) => this.#signersOf(role)), this.#outsider]
    const files = this.deliver(documents, stolen)
    return new Map([...files, [`${root.version}.root`, signDocument(root, unique(signers))]])
  }

  #signersOf(role: MatrixRole): TestSigner[] {
    if (role === 'owner') return this.simulator.signersOf(`owner-${projects.owned}`)
    return this.simulator.signersOf(role === 'bins-nn' ? binOf(projects.unclaimed) : role)
  }

  #readRoot(): Bytes {
    return this.simulator.publishedRoots.get(1)!
  }

  #claim(role: string, project: string): void {
    const paths = [recordPath(project), `files/${project}/*`]
    this.simulator.delegate(`owner-${project}`, { from: role, paths, terminating: true })
    this.simulator.addTarget(recordPath(project), 'by its owner', `owner-${project}`)
  }

  #setLives(): void {
    const { now } = this.simulator
    for (const [role, document] of this.#listDocuments()) {
      const kind = role.startsWith('bins-')
        ? 'bins-nn'
        : role.startsWith('owner-')
          ? 'claimed'
          : role
      const days = lifeDays[kind as keyof typeof lifeDays]
      document.expires = formatUtcSeconds(now + days * dayMs)
    }
    this.simulator.publishRoot()
  }

  #publish(): void {
    const { simulator } = this
    simulator.publish()
    if (this.hasBinHashes) return
    for (const [file, { version }] of Object.entries(simulator.snapshot.meta))
      if (file.startsWith('bins-')) simulator.snapshot.meta[file] = { version }
    const bytes = simulator.render('snapshot')
    simulator.timestamp.meta['snapshot.json'] = {
      version: simulator.snapshot.version,
      length: bytes.length,
      hashes: { sha256: sha256Hex(bytes) },
    }
  }

  #listDocuments(): [string, Document][] {
    const { root, timestamp, snapshot, targets, delegated } = this.simulator
    const top: [string, Document][] = [
      ['root', root],
      ['timestamp', timestamp],
      ['snapshot', snapshot],
      ['targets', targets],
    ]
    return [...top, ...delegated]
  }

  #copy(): Documents {
    return new Map(this.#listDocuments().map(([role, one]) => [role, structuredClone(one)]))
  }
}

function unique(signers: readonly TestSigner[]): TestSigner[] {
  return [...new Map(signers.map((signer) => [signer.keyid, signer])).values()]
}

export const evil = encodeUtf8('evil')

export function inject(document: TargetsDocument, project: string): void {
  document.targets[recordPath(project)] = {
    length: evil.length,
    hashes: { sha256: sha256Hex(evil) },
  }
}

/** The sha256 of the record that a client gets of these files, or why it gets none. */
export async function readRecord(
  client: TrustedSet,
  files: Files,
  project: string,
  now: number,
): Promise<{ sha256: string } | { refused: string }> {
  const read = (role: string): Bytes => files.get(role) ?? new Uint8Array()
  const port: RefreshPort = {
    fetchRoot: async (version) => files.get(`${version}.root`),
    fetchTimestamp: async () => read('timestamp'),
    fetchRole: async (role) => read(role),
    readCached: async () => undefined,
    saveRoot: async () => undefined,
  }
  try {
    const { trusted } = await refresh(client, port, now)
    const find = (path: string) =>
      findTarget(
        trusted,
        path,
        async (delegator, role) => acceptDelegated(trusted, delegator, role, read(role)),
        { now },
      )
    // As the client does before it shows a record.
    await find(`deny/${project}.json`)
    const { target } = await find(recordPath(project))
    return { sha256: target?.hashes.get('sha256') ?? 'none' }
  } catch (error) {
    if (isTufgateError(error)) return { refused: error.code }
    throw error
  }
}
