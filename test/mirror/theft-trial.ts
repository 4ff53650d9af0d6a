/**
 * Every set of stolen keys, tried on our own client: what whoever has them and the delivery path
 * achieves, in the words of the matrix (src/mirror/theft-matrix.ts), and beside it what the matrix says.
 */

import { formatUtcSeconds } from '../../src/base/clock.ts'
import { sha256Hex } from '../../src/base/digest.ts'
import {
  judgeTheft,
  type MatrixRole,
  type Scope,
  type Verdict,
} from '../../src/mirror/theft-matrix.ts'
import type { TrustedSet } from '../../src/tuf/trusted-set.ts'
import type { SnapshotDocument, TargetsDocument } from '../support/tuf-documents.ts'
import {
  binOf,
  dayMs,
  evil,
  inject,
  neighbour,
  projects,
  readRecord,
  StolenRepository,
  type Files,
} from './thief.ts'

const online: readonly MatrixRole[] = [
  'deny',
  'recently-claimed',
  'bins-nn',
  'snapshot',
  'timestamp',
]
const offline: readonly MatrixRole[] = ['targets', 'claimed', 'bins']
const evilSha256 = sha256Hex(evil)

/** What is tried: wrong files on clients that have been here, and that have not; then the others. */
export const questions = ['returning clients', 'new clients', 'freeze', 'mix', 'no path'] as const
export type Question = (typeof questions)[number]

export interface Comparison {
  readonly question: Question
  readonly stolen: readonly MatrixRole[]
  readonly said: string
  readonly seen: string
}

/** Every set of these roles. */
function listSets(roles: readonly MatrixRole[]): MatrixRole[][] {
  return roles.reduce<MatrixRole[][]>(
    (sets, role) => [...sets, ...sets.map((set) => [...set, role])],
    [[]],
  )
}

const thefts: readonly MatrixRole[][] = [
  ...listSets([...online, ...offline, 'owner']),
  ...listSets(online).map((set) => [...set, 'root' as const]),
]
const withoutOwners = listSets([...online, ...offline])

/** What an owner's thief hands in to the mirror is no forgery: the client has no part in it. */
function seenByClient(scope: Scope, { forged }: Verdict): Scope {
  return scope === 'one' && !forged.includes('owner') ? 'nothing' : scope
}

export class TheftTrial {
  readonly repository: StolenRepository
  readonly #fresh: TrustedSet
  readonly #returning: TrustedSet
  readonly #remembered = new Map<string, Promise<boolean>>()

  private constructor(repository: StolenRepository, returning: TrustedSet) {
    this.repository = repository
    this.#fresh = repository.newClient
    this.#returning = returning
  }

  static async create(hasBinHashes: boolean): Promise<TheftTrial> {
    const repository = new StolenRepository(hasBinHashes)
    return new TheftTrial(repository, await repository.returningClient())
  }

  judge(stolen: readonly MatrixRole[], hasPath = true): Verdict {
    const hasOwner = stolen.includes('owner')
    const keyids = this.repository.keyidsOf(stolen)
    return judgeTheft(this.repository.shape, { keyids, hasOwner, hasPath })
  }

  /** Every theft for which the question makes a difference. */
  async compareAll(question: Question): Promise<Comparison[]> {
    const isAboutTime = question === 'freeze' || question === 'mix'
    const found: Comparison[] = []
    for (const stolen of isAboutTime ? withoutOwners : thefts)
      found.push({ question, stolen, ...(await this.#compare(question, stolen)) })
    return found
  }

  async #compare(
    question: Question,
    stolen: readonly MatrixRole[],
  ): Promise<Pick<Comparison, 'said' | 'seen'>> {
    const verdict = this.judge(stolen, question !== 'no path')
    switch (question) {
      case 'returning clients':
        return {
          said: seenByClient(verdict.malicious, verdict),
          seen: await this.#findScope(stolen, this.#returning),
        }
      case 'new clients':
        return {
          said: seenByClient(verdict.maliciousForNew, verdict),
          seen: await this.#findScope(stolen, this.#fresh),
        }
      case 'freeze':
        return { said: 'until then', seen: await this.#findFreeze(stolen, verdict) }
      case 'mix':
        return {
          said: verdict.inconsistency === 'yes' ? 'mixed' : 'not mixed',
          seen: (await this.#canMix(stolen)) ? 'mixed' : 'not mixed',
        }
      case 'no path':
        return {
          said: seenByClient(verdict.malicious, verdict),
          seen: await this.#findScopeWithoutPath(),
        }
      default:
        return question satisfies never
    }
  }

  /** Only keys that the client asks of what was changed can matter: the others are tried once. */
  #tryOnce(
    name: string,
    stolen: readonly MatrixRole[],
    act: () => Promise<boolean>,
  ): Promise<boolean> {
    const key = `${name} ${stolen.toSorted().join()}`
    const tried = this.#remembered.get(key) ?? act()
    this.#remembered.set(key, tried)
    return tried
  }

  async #accepts(client: TrustedSet, files: Files, project: string): Promise<boolean> {
    const found = await readRecord(client, files, project, this.repository.simulator.now)
    return 'sha256' in found && found.sha256 === evilSha256
  }

  async #findScope(stolen: readonly MatrixRole[], client: TrustedSet): Promise<Scope> {
    if (await this.#canInject(stolen, projects.unclaimed, client)) {
      if (!(await this.#canInject(stolen, projects.recent, client))) return 'unclaimed'
      const hasClaimed = await this.#canInject(stolen, projects.claimed, client)
      return hasClaimed ? 'everything' : 'not-claimed'
    }
    return (await this.#canInject(stolen, projects.owned, client)) ? 'one' : 'nothing'
  }

  /** What he has signed stays with him: clients get what the mirror publishes. */
  async #findScopeWithoutPath(): Promise<Scope> {
    const hasAny = await this.#tryOnce('no path', [], async () => {
      const genuine = this.repository.deliver(new Map(), [])
      for (const project of Object.values(projects))
        if (await this.#accepts(this.#returning, genuine, project)) return true
      return false
    })
    return hasAny ? 'everything' : 'nothing'
  }

  /** Puts an evil record into one role, in each way in which that could be hidden. */
  async #canInject(
    stolen: readonly MatrixRole[],
    project: string,
    client: TrustedSet,
  ): Promise<boolean> {
    const { repository } = this
    const owner = `owner-${project}`
    const hosts = ['targets', 'claimed', 'recently-claimed', 'bins', binOf(project)]
    const places = repository.simulator.hasRole(owner) ? [...hosts, owner] : hosts
    for (const place of places) {
      const asked = stolen.filter((role) => [kindOf(place), 'snapshot', 'timestamp'].includes(role))
      for (const lifted of ['none', 'snapshot', 'all'] as const) {
        const attempt = (): Promise<boolean> => {
          const documents = repository.forge((all) => {
            inject(all.get(place) as TargetsDocument, project)
            return [place]
          }, lifted)
          return this.#accepts(client, repository.deliver(documents, asked), project)
        }
        const name = `${place} ${project} ${lifted} ${client === this.#fresh}`
        if (await this.#tryOnce(name, asked, attempt)) return true
      }
    }
    return this.#canReplay(stolen, project, client)
  }

  /** Shows lists of before the claims, so that the bins are searched, and forges the bin or the claim. */
  async #canReplay(
    stolen: readonly MatrixRole[],
    project: string,
    client: TrustedSet,
  ): Promise<boolean> {
    const { repository } = this
    const isFresh = client === this.#fresh
    for (const place of [binOf(project), 'bins', 'recently-claimed']) {
      const asked = stolen.filter((role) => [kindOf(place), 'snapshot', 'timestamp'].includes(role))
      const old = ['claimed', 'recently-claimed'].filter((role) => role !== place)
      const attempt = (): Promise<boolean> => {
        const documents = repository.forge((all) => {
          inject(all.get(place) as TargetsDocument, project)
          const snapshot = all.get('snapshot') as SnapshotDocument
          for (const role of old)
            snapshot.meta[`${role}.json`] = { version: repository.versionBefore(role) }
          return [place]
        }, 'all')
        const files = new Map(repository.deliver(documents, asked))
        for (const role of old) files.set(role, repository.replayed(role))
        return this.#accepts(client, files, project)
      }
      if (await this.#tryOnce(`replay ${place} ${project} ${isFresh}`, asked, attempt)) return true
    }
    const asked = stolen.filter((role) => role === 'root')
    return this.#tryOnce(`root ${project} ${isFresh}`, asked, () =>
      this.#accepts(client, repository.forgeRoot(asked, project), project),
    )
  }

  /** Up to the moment that the matrix says, and not a moment longer. */
  async #findFreeze(stolen: readonly MatrixRole[], { freeze }: Verdict): Promise<string> {
    const until = freeze.until ?? Number.NaN
    if (!(await this.#canFreeze(stolen, until - 60_000))) return 'not even until then'
    return (await this.#canFreeze(stolen, until)) ? 'longer' : 'until then'
  }

  /** Signs what he can once more, for a thousand years, and shows nothing that is new. */
  async #canFreeze(stolen: readonly MatrixRole[], time: number): Promise<boolean> {
    const { repository } = this
    const far = formatUtcSeconds(repository.simulator.now + 365_000 * dayMs)
    const owned = this.#listHeld(stolen)
    const inOrder = stolen.includes('snapshot') && stolen.includes('timestamp')
    const files = repository.deliver(
      repository.forge((all) => {
        for (const role of [...owned, 'timestamp', 'snapshot']) all.get(role)!.expires = far
        for (const role of ['targets', 'bins'])
          if (owned.includes(role)) repository.takeOver(all.get(role) as TargetsDocument)
        return inOrder ? owned.filter((role) => !['snapshot', 'timestamp'].includes(role)) : []
      }, 'all'),
      stolen,
    )
    const onlyTimestamp = repository.deliver(
      repository.forge((all) => {
        const timestamp = all.get('timestamp')!
        timestamp.expires = far
        timestamp.version += 1
        return ['timestamp']
      }, 'none'),
      stolen,
    )
    const genuine = repository.deliver(new Map(), [])
    for (const delivered of [files, onlyTimestamp, genuine]) {
      const found = await readRecord(this.#returning, delivered, projects.unclaimed, time)
      if ('sha256' in found) return true
    }
    return false
  }

  /** The roles that he can sign, those among them in which he has named himself. */
  #listHeld(stolen: readonly MatrixRole[]): string[] {
    const bins = [...this.repository.simulator.delegated.keys()].filter((role) =>
      role.startsWith('bins-'),
    )
    const delegated = ['deny', 'claimed', 'recently-claimed', 'bins', ...bins]
    const held = stolen.flatMap((role): string[] => {
      if (role === 'targets') return [role, ...delegated]
      return role === 'bins' ? [role, ...bins] : role === 'bins-nn' ? bins : [role]
    })
    return [...new Set(held)]
  }

  /** One bin of before, and another one of now. */
  #canMix(stolen: readonly MatrixRole[]): Promise<boolean> {
    const asked = stolen.filter((role) => ['snapshot', 'timestamp'].includes(role))
    return this.#tryOnce('mix', asked, async () => {
      for (const lifted of ['snapshot', 'all'] as const)
        if (await this.#isMixed(asked, lifted)) return true
      return false
    })
  }

  async #isMixed(stolen: readonly MatrixRole[], lifted: 'snapshot' | 'all'): Promise<boolean> {
    const { repository } = this
    const old = binOf(projects.unclaimed)
    const documents = repository.forge((all) => {
      const snapshot = all.get('snapshot') as SnapshotDocument
      snapshot.meta[`${old}.json`] = { version: repository.versionBefore(old) }
      return []
    }, lifted)
    const delivered = repository.deliver(documents, stolen)
    const files = new Map(delivered).set(old, repository.replayed(old))
    const { now } = repository.simulator
    const before = await readRecord(this.#fresh, files, projects.unclaimed, now)
    const after = await readRecord(this.#fresh, files, neighbour, now)
    const isBefore = 'sha256' in before && before.sha256 === sha256Hex(Buffer.from('of before'))
    return isBefore && 'sha256' in after && after.sha256 === sha256Hex(Buffer.from('genuine'))
  }
}

/** Of many roles that are alike. */
function kindOf(role: string): string {
  if (role.startsWith('bins-')) return 'bins-nn'
  return role.startsWith('owner-') ? 'owner' : role
}
