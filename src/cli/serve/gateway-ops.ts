/** The port of the proxy, put together from what is open: indexes, vault, downloads, policy, log. */

import type { AuditLog } from '../../audit/log.ts'
import type { Clock } from '../../base/clock.ts'
import { describeError } from '../../base/errors.ts'
import { findTrustWords } from '../../base/trust-words.ts'
import type { Downloads } from '../../client/download.ts'
import { Durations } from '../../proxy/durations.ts'
import type { FileFetch, GatewayOps, Readiness, RecordLookup } from '../../proxy/gateway.ts'
import type { Vault } from '../../store/vault.ts'
import type { OpenIndex } from './open-index.ts'
import type { RefusalNotes } from './refusal-notes.ts'
import { createStatusOps, type StatusParts } from './status-ops.ts'

export type OpenIndexes = readonly [OpenIndex, ...OpenIndex[]]

export interface GatewayParts {
  readonly indexes: OpenIndexes
  readonly vault: Vault
  readonly downloads: Downloads
  readonly append: AuditLog['append']
  readonly notes: RefusalNotes
  readonly clock: Clock
  readonly audit: StatusParts['audit']
  readonly maxVaultBytes: number
}

export function createGatewayOps(parts: GatewayParts): GatewayOps {
  const { indexes, vault, downloads, append, notes, clock } = parts
  const fetches = new FetchTimes(clock)
  const [first] = indexes
  const findIndex = (project: string): OpenIndex | undefined =>
    indexes.find((index) => index.owns(project))
  return {
    findRecord: async (project, purpose) => {
      const index = findIndex(project)
      const found = await findRecord(index, { project, purpose, first })
      if (found.kind === 'absent') notes.noteAbsent(project, (index ?? first).trustKind)
      return found
    },
    findProjectList: async () => {
      // Names of several indexes do not make one signed list; what was seen first is no list at all.
      if (indexes.length > 1 || first.trustKind === 'first-use') return first.trustKind
      const list = await first.repository.findProjectList()
      return list === undefined ? first.trustKind : { ...list, trust: first.trust }
    },
    requireFile: (project, path) => (findIndex(project) ?? first).requireFile(project, path),
    openVerified: (sha256) => vault.open(sha256),
    download: (project, path) => {
      const { hosts, trustKind } = findIndex(project) ?? first
      const fetch = downloads.fetch({ ...path, hosts: hosts.rules, trust: trustKind })
      fetches.note(fetch)
      // Whoever waits for the file is told by `done` itself.
      fetch.done.catch((error: unknown) => notes.noteFailedDownload(project, error))
      return fetch
    },
    policyOf: (project) => (findIndex(project) ?? first).policy,
    now: clock,
    append: async (event) => {
      const appended = await append(event)
      // Said is only what has a line, which its id finds.
      if (event.kind === 'refused' && appended === 'written') notes.noteRefusal(event)
    },
    noteWhollyHidden: (project, decision) => {
      const { pins } = (findIndex(project) ?? first).policy
      notes.noteWhollyHidden(project, decision, pins?.source)
    },
    readiness: () => checkReadiness(indexes),
    trustOf: (project) => (findIndex(project) ?? first).trust,
    ...createStatusOps({ ...parts, fetches: fetches.durations }),
  }
}

/** Of each fetch once, however many wait for it. */
class FetchTimes {
  readonly durations = new Durations()
  readonly #clock: Clock
  readonly #noted = new WeakSet<FileFetch>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  note(fetch: FileFetch): void {
    if (this.#noted.has(fetch)) return
    this.#noted.add(fetch)
    const begunAt = this.#clock()
    const end = (): void => this.durations.note(Math.max(0, this.#clock() - begunAt))
    fetch.done.then(end, end)
  }
}

interface Wanted {
  readonly project: string
  readonly purpose: 'page' | 'file'
  readonly first: OpenIndex
}

async function findRecord(
  index: OpenIndex | undefined,
  { project, purpose, first }: Wanted,
): Promise<RecordLookup> {
  if (index === undefined) return { kind: 'absent', trust: first.trust, claimed: false }
  // Not waited for: a resolver that does not answer must not hold up pages. Files come a moment later.
  void index.hosts.settle()
  const found = await index.findRecord(project, purpose)
  return found === undefined
    ? { kind: 'absent', trust: index.trust, claimed: index.isExplicit }
    : { kind: 'found', ...found }
}

async function checkReadiness(indexes: readonly OpenIndex[]): Promise<Readiness> {
  const checks = await Promise.all(
    indexes.map(async (index) => {
      const { name, trustKind } = index
      try {
        await index.requireReady()
        const { list } = findTrustWords(trustKind)
        return { name, ok: true, detail: `${list} ${JSON.stringify(index.trust)}` }
      } catch (error) {
        return { name, ok: false, detail: describeError(error) }
      }
    }),
  )
  return { ready: checks.every(({ ok }) => ok), checks }
}
