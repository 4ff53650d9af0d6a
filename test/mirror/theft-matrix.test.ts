/** What the matrix says of stolen keys, against a thief who tries it on our own client. */

import { beforeAll, describe, expect, test } from 'vitest'
import { formatUtcSeconds } from '../../src/base/clock.ts'
import { sha256Hex } from '../../src/base/digest.ts'
import {
  judgeTheft,
  type MatrixRole,
  type MirrorShape,
  type Scope,
  type Verdict,
} from '../../src/mirror/theft-matrix.ts'
import { listThefts } from '../../src/mirror/theft-rows.ts'
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

/** Every set of these roles. */
function listSets(roles: readonly MatrixRole[]): MatrixRole[][] {
  return roles.reduce<MatrixRole[][]>(
    (sets, role) => [...sets, ...sets.map((set) => [...set, role])],
    [[]],
  )
}

const thefts: MatrixRole[][] = [
  ...listSets([...online, ...offline, 'owner']),
  ...listSets(online).map((set) => [...set, 'root' as const]),
]

/** What an owner's thief hands in to the mirror is no forgery: the client has no part in it. */
function seenByClient(scope: Scope, { forged }: Verdict): Scope {
  return scope === 'one' && !forged.includes('owner') ? 'nothing' : scope
}

describe.each([
  ['snapshot says the sha256 of the bins', true],
  ['snapshot says the version of the bins alone', false],
])('where %s', (_what, hasBinHashes) => {
  let repository: StolenRepository
  let fresh: TrustedSet
  let returning: TrustedSet
  beforeAll(async () => {
    repository = new StolenRepository(hasBinHashes)
    fresh = repository.newClient
    returning = await repository.returningClient()
  })

  function judge(stolen: readonly MatrixRole[]): Verdict {
    const hasOwner = stolen.includes('owner')
    return judgeTheft(repository.shape, {
      keyids: repository.keyidsOf(stolen),
      hasOwner,
      hasPath: true,
    })
  }

  const remembered = new Map<string, Promise<boolean>>()

  /** Only keys that the client asks of what was changed can matter: the others are tried once. */
  function tryOnce(name: string, stolen: readonly MatrixRole[], act: () => Promise<boolean>) {
    const key = `${name} ${stolen.toSorted().join()}`
    const tried = remembered.get(key) ?? act()
    remembered.set(key, tried)
    return tried
  }

  async function accepts(
    client: TrustedSet,
    files: Parameters<typeof readRecord>[1],
    project: string,
  ): Promise<boolean> {
    const found = await readRecord(client, files, project, repository.simulator.now)
    return 'sha256' in found && found.sha256 === evilSha256
  }

  /** Puts an evil record into one role, in each way in which that could be hidden. */
  async function canInject(
    stolen: readonly MatrixRole[],
    project: string,
    client: TrustedSet,
  ): Promise<boolean> {
    const owner = `owner-${project}`
    const hosts = ['targets', 'claimed', 'recently-claimed', 'bins', binOf(project)]
    const places = repository.simulator.hasRole(owner) ? [...hosts, owner] : hosts
    for (const place of places) {
      const kind = place.startsWith('bins-')
        ? 'bins-nn'
        : place.startsWith('owner-')
          ? 'owner'
          : place
      const asked = stolen.filter((role) => [kind, 'snapshot', 'timestamp'].includes(role))
      for (const lifted of ['none', 'snapshot', 'all'] as const) {
        const name = `${place} ${project} ${lifted} ${client === fresh}`
        const attempt = (): Promise<boolean> => {
          const documents = repository.forge((all) => {
            inject(all.get(place) as TargetsDocument, project)
            return [place]
          }, lifted)
          return accepts(client, repository.deliver(documents, asked), project)
        }
        if (await tryOnce(name, asked, attempt)) return true
      }
    }
    return canReplay(stolen, project, client)
  }

  /** Shows lists of before the claims, so that the bins are searched, and forges the bin or the claim. */
  async function canReplay(
    stolen: readonly MatrixRole[],
    project: string,
    client: TrustedSet,
  ): Promise<boolean> {
    for (const place of [binOf(project), 'bins', 'recently-claimed']) {
      const kind = place.startsWith('bins-') ? 'bins-nn' : place
      const asked = stolen.filter((role) => [kind, 'snapshot', 'timestamp'].includes(role))
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
        return accepts(client, files, project)
      }
      if (await tryOnce(`replay ${place} ${project} ${client === fresh}`, asked, attempt))
        return true
    }
    const asked = stolen.filter((role) => role === 'root')
    return tryOnce(`root ${project} ${client === fresh}`, asked, () =>
      accepts(client, repository.forgeRoot(asked, project), project),
    )
  }

  async function findScope(stolen: readonly MatrixRole[], client: TrustedSet): Promise<Scope> {
    if (await canInject(stolen, projects.unclaimed, client)) {
      if (!(await canInject(stolen, projects.recent, client))) return 'unclaimed'
      return (await canInject(stolen, projects.claimed, client)) ? 'everything' : 'not-claimed'
    }
    return (await canInject(stolen, projects.owned, client)) ? 'one' : 'nothing'
  }

  test('a malicious update reaches returning clients exactly where the matrix says so', async () => {
    for (const stolen of thefts) {
      const verdict = judge(stolen)
      expect({ stolen, scope: await findScope(stolen, returning) }).toEqual({
        stolen,
        scope: seenByClient(verdict.malicious, verdict),
      })
    }
  })

  test('and new clients, to which lists of before a claim can be shown', async () => {
    for (const stolen of thefts) {
      const verdict = judge(stolen)
      expect({ stolen, scope: await findScope(stolen, fresh) }).toEqual({
        stolen,
        scope: seenByClient(verdict.maliciousForNew, verdict),
      })
    }
  })

  test('a freeze ends when the first role expires that the thief cannot sign', async () => {
    for (const stolen of listSets([...online, ...offline])) {
      const { freeze } = judge(stolen)
      const until = freeze.until ?? Number.NaN
      const at = (time: number): Promise<boolean> => canFreeze(stolen, time)
      expect({ stolen, before: await at(until - 60_000), after: await at(until) }).toEqual({
        stolen,
        before: true,
        after: false,
      })
    }
  })

  /** The roles that he can sign, those among them in which he has named himself. */
  function listHeld(stolen: readonly MatrixRole[]): string[] {
    const bins = [...repository.simulator.delegated.keys()].filter((role) =>
      role.startsWith('bins-'),
    )
    const delegated = ['deny', 'claimed', 'recently-claimed', 'bins', ...bins]
    const held = stolen.flatMap((role): string[] => {
      if (role === 'targets') return [role, ...delegated]
      return role === 'bins' ? [role, ...bins] : role === 'bins-nn' ? bins : [role]
    })
    return [...new Set(held)]
  }

  /** Signs what he can once more, for a thousand years, and shows nothing that is new. */
  async function canFreeze(stolen: readonly MatrixRole[], time: number): Promise<boolean> {
    const far = formatUtcSeconds(repository.simulator.now + 365_000 * dayMs)
    const owned = listHeld(stolen)
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
      const found = await readRecord(returning, delivered, projects.unclaimed, time)
      if ('sha256' in found) return true
    }
    return false
  }

  test('a mix of versions that were never published together needs the key of snapshot, and that of timestamp', async () => {
    for (const stolen of listSets([...online, ...offline])) {
      const asked = stolen.filter((role) => ['snapshot', 'timestamp'].includes(role))
      const isMixed = await tryOnce('mix', asked, () => canMix(asked))
      expect({ stolen, isMixed }).toEqual({
        stolen,
        isMixed: judge(stolen).inconsistency === 'yes',
      })
    }
  })

  /** One bin of before, and another one of now. */
  async function canMix(stolen: readonly MatrixRole[]): Promise<boolean> {
    const old = binOf(projects.unclaimed)
    for (const lifted of ['snapshot', 'all'] as const) {
      const documents = repository.forge((all) => {
        const snapshot = all.get('snapshot') as SnapshotDocument
        snapshot.meta[`${old}.json`] = { version: repository.versionBefore(old) }
        return []
      }, lifted)
      const files = new Map(repository.deliver(documents, stolen)).set(
        old,
        repository.replayed(old),
      )
      const { now } = repository.simulator
      const before = await readRecord(fresh, files, projects.unclaimed, now)
      const after = await readRecord(fresh, files, neighbour, now)
      const isMixed =
        'sha256' in before &&
        'sha256' in after &&
        before.sha256 === sha256Hex(Buffer.from('of before')) &&
        after.sha256 === sha256Hex(Buffer.from('genuine'))
      if (isMixed) return true
    }
    return false
  }

  test('the bins key alone is worth what the shape says', () => {
    const { malicious, reasons, freeze } = judge(['bins-nn'])
    expect(malicious).toBe(hasBinHashes ? 'nothing' : 'unclaimed')
    expect(reasons.join(' ')).toContain(hasBinHashes ? 'says their sha256' : 'by version alone')
    expect(freeze).toMatchObject({ endedBy: 'timestamp', needsNoKey: true })
  })

  test('every role alone, but those of root, is worth nothing to whoever has no way to a client', () => {
    for (const row of listThefts(repository.shape)) {
      const isOwner = row.stolen.startsWith("one owner's keys")
      expect(row.withoutPath).toMatchObject({
        malicious: isOwner ? 'one' : 'nothing',
        inconsistency: 'no',
      })
    }
  })
})

describe('the rows of the matrix', () => {
  const shape = new StolenRepository(true).shape
  const rowOf = (stolen: string, of: MirrorShape = shape) =>
    listThefts(of).find((row) => row.stolen === stolen)?.withPath

  test('are those of PEP 480', () => {
    expect(rowOf('timestamp, snapshot')).toMatchObject({
      malicious: 'nothing',
      inconsistency: 'yes',
    })
    expect(rowOf('timestamp, snapshot, bins-nn')?.malicious).toBe('unclaimed')
    expect(rowOf('every online key')).toMatchObject({
      malicious: 'not-claimed',
      maliciousForNew: 'everything',
    })
    expect(rowOf('every online key, claimed')?.malicious).toBe('everything')
    expect(rowOf("one owner's keys, timestamp, snapshot")?.malicious).toBe('one')
    expect(rowOf('enough keys of root')).toMatchObject({
      malicious: 'everything',
      freeze: { needsNoKey: false },
    })
    expect(rowOf('enough keys of root')?.freeze.until).toBeUndefined()
  })

  test('say nothing of owners where nobody signs for himself', () => {
    const empty = { ...shape, projects: { claimed: 0, recentlyClaimed: 0, unclaimed: 4 } }
    expect(listThefts(empty).filter(({ stolen }) => stolen.includes('owner'))).toEqual([])
  })

  test('count a key for every role that has it', () => {
    const shared = shape.roles.get('timestamp')!.keyids
    const roles = new Map(shape.roles)
    for (const role of ['snapshot', 'bins-nn'] as const)
      roles.set(role, { ...shape.roles.get(role)!, keyids: shared })
    const row = rowOf('the one key of timestamp, snapshot, bins-nn', { ...shape, roles })
    expect(row?.malicious).toBe('unclaimed')
    expect(rowOf('timestamp', { ...shape, roles })?.malicious).toBe('unclaimed')
  })

  test('count a key that is too few for its role as nothing', () => {
    const roles = new Map(shape.roles)
    const root = shape.roles.get('root')!
    roles.set('root', { ...root, keyids: [...root.keyids, 'a', 'b'], threshold: 2 })
    const judged = judgeTheft(
      { ...shape, roles },
      { keyids: new Set(root.keyids), hasOwner: false, hasPath: true },
    )
    expect(judged).toMatchObject({ malicious: 'nothing', forged: [] })
  })
})
