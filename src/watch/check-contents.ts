/**
 * Every role below `targets`, and what it lists, as a client gets it: all of it, or what is new and a
 * sample of the rest. The bins are compared with what the mirror remembers too: a project that fell
 * out of its bin is missed by nobody else.
 */

import { isTufgateError } from '../base/errors.ts'
import type { Repository } from '../client/repository.ts'
import type { RepositorySource } from '../client/repository-source.ts'
import { isOwned } from '../mirror/claims.ts'
import type { MirrorMemory } from '../mirror/open-mirror.ts'
import type { Report } from '../mirror/report.ts'
import { metadataPath, recordTarget } from '../mirror/tree-layout.ts'
import type { Floors } from '../tuf/floors.ts'
import { requireUnexpired, type UsableSet } from '../tuf/freshness.ts'
import type { Targets } from '../tuf/metadata.ts'
import { findChangedRoles, findChangedTargets, takeSample } from './changed-entries.ts'
import { walkRoles, type RoleEdge } from './delegated-roles.ts'
import { findReason, mendRole, mendTarget, remakeRoles, type Findings } from './findings.ts'
import { createTargetCheck, findProject, type CheckTarget } from './target-check.ts'

export interface ContentsContext {
  readonly client: Repository
  readonly source: RepositorySource
  readonly memory: MirrorMemory
  /** Of the last check. */
  readonly floors: Floors
  readonly findings: Findings
  readonly isFull: boolean
  readonly now: number
  readonly report: Report
}

export interface CheckedContents {
  readonly roles: number
  readonly records: number
}

/** A minute of work at most, where not everything is asked for. */
const maxChangedRoles = 4096
const sampledRoles = 512
const maxChangedTargets = 5000
const sampledTargets = 2000

export async function checkContents(context: ContentsContext): Promise<CheckedContents> {
  const { client, now } = context
  const trusted = await client.requireFresh()
  requireUnexpired(trusted, now)
  return new ContentsCheck(context, trusted).run()
}

class ContentsCheck {
  readonly #context: ContentsContext
  readonly #trusted: UsableSet
  readonly #changed: ReadonlySet<string>
  #roles = 0
  #records = 0
  #total = 0

  constructor(context: ContentsContext, trusted: UsableSet) {
    this.#context = context
    this.#trusted = trusted
    this.#changed = findChangedRoles(trusted.snapshot, context.floors)
  }

  async run(): Promise<CheckedContents> {
    const { client, source, now } = this.#context
    const trusted = this.#trusted
    const walk = await walkRoles(trusted, source, (edge, error) => this.#addRole(edge, error))
    const checkTarget = createTargetCheck({ client, trusted, source, loadRole: walk.loadRole, now })
    const lower = this.#selectRoles([...walk.listLower()])
    this.#total = walk.upper.length + lower.length
    const newPaths: string[] = []
    const samples: string[] = []
    const perRole = Math.max(1, Math.floor(sampledTargets / Math.max(1, this.#total)))
    for (const edge of [...walk.upper, ...lower]) {
      const targets = await this.#loadRole(edge)
      if (targets === undefined) continue
      this.#compareWithMemory(edge.role, targets)
      const paths = [...targets.targets.keys()]
      if (this.#context.isFull) await this.#checkTargets(paths, checkTarget)
      else {
        newPaths.push(...(await this.#listNew(edge.role, targets)))
        samples.push(...takeSample(paths, perRole))
      }
    }
    const chosen = new Set([...takeSample(newPaths, maxChangedTargets), ...samples])
    await this.#checkTargets([...chosen], checkTarget)
    return { roles: this.#roles, records: this.#records }
  }

  #selectRoles(edges: readonly RoleEdge[]): readonly RoleEdge[] {
    if (this.#context.isFull) return edges
    const isChanged = ({ role }: RoleEdge): boolean => this.#changed.has(role)
    const changed = takeSample(edges.filter(isChanged), maxChangedRoles)
    const others = edges.filter((edge) => !isChanged(edge))
    return [...changed, ...takeSample(others, sampledRoles)]
  }

  async #loadRole(edge: RoleEdge): Promise<Targets | undefined> {
    this.#roles += 1
    this.#context.report({ kind: 'progress', done: this.#roles, total: this.#total })
    try {
      return await edge.load()
    } catch (error) {
      this.#addRole(edge, error)
      return undefined
    }
  }

  #addRole({ role, delegator }: RoleEdge, error: unknown): void {
    const version = this.#trusted.snapshot.meta.get(`${role}.json`)?.version
    const file = version === undefined ? undefined : metadataPath(role, version)
    const where = `role ${role}, delegated by ${delegator}`
    const { findings } = this.#context
    findings.addError(error, where, { file, mend: mendRole(findings.directory) })
  }

  #listNew(role: string, targets: Targets): Promise<string[]> {
    const { floors, source } = this.#context
    const seen = floors.versions.get(role) ?? 0
    return this.#changed.has(role)
      ? findChangedTargets(role, targets, seen, source)
      : Promise.resolve([])
  }

  async #checkTargets(paths: readonly string[], checkTarget: CheckTarget): Promise<void> {
    for (const path of paths) {
      this.#records += 1
      try {
        await checkTarget(path)
      } catch (error) {
        this.#addTarget(path, error)
      }
    }
  }

  #addTarget(path: string, error: unknown): void {
    const { findings, memory } = this.#context
    const project = findProject(path)
    const where = project === undefined ? `target ${path}` : `project ${project}`
    // A record that cannot be read for want of what is withdrawn of it.
    const { url = '' } = isTufgateError(error) ? findReason(error).facts : {}
    const isDenial = url.startsWith('targets/deny/')
    const isOfOwner = project !== undefined && isOwned(memory, project)
    const mend = mendTarget(findings.directory, isDenial ? undefined : project, isOfOwner)
    findings.addError(error, where, { mend })
  }

  /** Only where both are of the same version: a sync may be under way. */
  #compareWithMemory(role: string, { version, targets }: Targets): void {
    const { memory, findings } = this.#context
    const state = memory.roles.find(role)
    if (state?.bin === undefined || state.version !== version || memory.roles.isDirty(role)) return
    for (const { name, sha256 } of memory.ledger.listBin(state.bin)) {
      const found = targets.get(recordTarget(name))?.hashes.get('sha256')
      if (found === sha256) continue
      findings.add({
        where: `project ${name}`,
        file: metadataPath(role, version),
        code: 'DIGEST_MISMATCH',
        message: `${role} lists ${found === undefined ? 'no record' : 'another record'} of ${name} than the mirror remembers`,
        next: `Sign it again: ${remakeRoles(findings.directory)}`,
      })
    }
  }
}
