/** The port of the proxy, put together from what is open: indexes, vault, downloads, policy, log. */

import type { AuditEvent } from '../audit/event.ts'
import type { Clock } from '../base/clock.ts'
import { describeError } from '../base/errors.ts'
import type { Downloads } from '../client/download.ts'
import type { Policy } from '../policy/decide.ts'
import type { GatewayOps, Readiness, RecordLookup } from '../proxy/gateway.ts'
import type { Vault } from '../store/vault.ts'
import type { OpenIndex } from './open-index.ts'
import type { RefusalNotes } from './refusal-notes.ts'

export type OpenIndexes = readonly [OpenIndex, ...OpenIndex[]]

export interface GatewayParts {
  readonly indexes: OpenIndexes
  readonly vault: Vault
  readonly downloads: Downloads
  readonly policy: Policy
  readonly append: (event: AuditEvent) => Promise<void>
  readonly notes: RefusalNotes
  readonly clock: Clock
}

export function createGatewayOps(parts: GatewayParts): GatewayOps {
  const { indexes, vault, downloads, policy, append, notes, clock } = parts
  const [first] = indexes
  const findIndex = (project: string): OpenIndex | undefined =>
    indexes.find((index) => index.owns(project))
  return {
    findRecord: async (project) => {
      const found = await findRecord(findIndex(project), project, first)
      if (found.kind === 'absent') notes.noteAbsent(project)
      return found
    },
    findProjectList: async () => {
      // Names of several indexes do not make one signed list.
      const list = indexes.length > 1 ? undefined : await first.repository.findProjectList()
      return list === undefined ? undefined : { ...list, trust: first.repository.trust }
    },
    openVerified: (sha256) => vault.open(sha256),
    download: (project, path) => {
      const { hosts } = findIndex(project) ?? first
      const fetch = downloads.fetch({ ...path, hosts: hosts.rules })
      // Whoever waits for the file is told by `done` itself.
      fetch.done.catch((error: unknown) => notes.noteFailedDownload(project, error))
      return fetch
    },
    policyOf: () => policy,
    now: clock,
    append,
    readiness: () => checkReadiness(indexes),
  }
}

async function findRecord(
  index: OpenIndex | undefined,
  project: string,
  first: OpenIndex,
): Promise<RecordLookup> {
  if (index === undefined) return { kind: 'absent', trust: first.repository.trust, claimed: false }
  // Not waited for: a resolver that does not answer must not hold up pages. Files come a moment later.
  void index.hosts.settle()
  const found = await index.repository.findRecord(project)
  return found === undefined
    ? { kind: 'absent', trust: index.repository.trust, claimed: index.isExplicit }
    : { kind: 'found', ...found }
}

async function checkReadiness(indexes: readonly OpenIndex[]): Promise<Readiness> {
  const checks = await Promise.all(
    indexes.map(async ({ name, repository }) => {
      try {
        await repository.requireFresh()
        return { name, ok: true, detail: `signed list ${JSON.stringify(repository.trust)}` }
      } catch (error) {
        return { name, ok: false, detail: describeError(error) }
      }
    }),
  )
  return { ready: checks.every(({ ok }) => ok), checks }
}
