/**
 * What one trusted set says of a project: the search through its roles, the record, and what the mirror
 * has withdrawn of it. Which set that is, and whether it is fresh, is decided by the repository.
 */

import type { Clock } from '../base/clock.ts'
import { denyTarget, type Denial } from '../simple/denial.ts'
import { findTarget, type Search } from '../tuf/search.ts'
import type { TargetFile } from '../tuf/metadata.ts'
import type { TrustedSet } from '../tuf/trusted-set.ts'
import { DenialLoader, denyRole } from './denial-loader.ts'
import type { LoadedRecord, RecordLoader } from './record-loader.ts'
import type { RoleLoader } from './role-loader.ts'
import { SearchMemo, type Answer } from './search-memo.ts'

/** Versions of what is trusted now. */
export interface TrustVersions {
  readonly root: number
  readonly timestamp?: number
  readonly snapshot?: number
}

export interface FoundRecord extends LoadedRecord {
  readonly trust: TrustVersions & { readonly role: string }
}

export interface FinderOptions {
  /** Target path of a project's record, with `{project}` in it. */
  readonly recordPath: string
  readonly maxDelegations: number
  readonly clock: Clock
}

interface RecordTarget {
  readonly trusted: TrustedSet
  readonly path: string
  readonly target: TargetFile
}

export class RecordFinder {
  readonly #options: FinderOptions
  readonly #roles: RoleLoader
  readonly #records: RecordLoader
  readonly #denials: DenialLoader
  readonly #memo = new SearchMemo()

  constructor(options: FinderOptions, roles: RoleLoader, records: RecordLoader) {
    this.#options = options
    this.#roles = roles
    this.#records = records
    this.#denials = new DenialLoader(records)
  }

  pathOf(project: string): string {
    return this.#options.recordPath.replace('{project}', () => project)
  }

  /** `undefined` where it is proven that there is none. */
  async findRecord(trusted: TrustedSet, project: string): Promise<FoundRecord | undefined> {
    const path = this.pathOf(project)
    const found = await this.search(trusted, path)
    if (found.target === undefined) return undefined
    const denials = await this.findDenials(trusted, project)
    const loaded = await this.loadRecord(project, { trusted, path, target: found.target })
    const record = this.#denials.subtract(loaded.record, denials)
    return { ...loaded, record, trust: { ...versionsOf(trusted), role: found.role } }
  }

  loadRecord(project: string, { trusted, path, target }: RecordTarget): Promise<LoadedRecord> {
    const { consistentSnapshot } = trusted.root
    return this.#records.load(project, { path, target, consistentSnapshot })
  }

  /**
   * What the mirror has withdrawn, in the same trusted set as the record. A role that is delegated to
   * and cannot be loaded is thrown: what it says is never taken to be nothing.
   */
  async findDenials(trusted: TrustedSet, project: string): Promise<readonly Denial[]> {
    if (trusted.targets?.delegations?.roles.has(denyRole) !== true) return []
    const path = denyTarget(project)
    const { target } = await this.search(trusted, path)
    if (target === undefined) return []
    const { consistentSnapshot } = trusted.root
    return this.#denials.load(project, { path, target, consistentSnapshot })
  }

  search(trusted: TrustedSet, path: string): Promise<Answer> {
    const { clock, maxDelegations } = this.#options
    const now = clock()
    const search = (): Promise<Search> =>
      findTarget(
        trusted,
        path,
        (delegator, role, name) => this.#roles.load(trusted, delegator, role, name),
        { now, maxRoles: maxDelegations },
      )
    return this.#memo.find(trusted, path, now, search)
  }
}

export function versionsOf({ root, timestamp, snapshot }: TrustedSet): TrustVersions {
  return {
    root: root.version,
    ...(timestamp !== undefined && { timestamp: timestamp.version }),
    ...(snapshot !== undefined && { snapshot: snapshot.version }),
  }
}
