/**
 * `mirror check`: the client of the proxy reads the published tree, as a new one and as one that was
 * here before, and what it refuses is said. Reads only, but for what the returning client remembers.
 */

import { join } from 'node:path'
import type { Bytes } from '../base/bytes.ts'
import type { Repository } from '../client/repository.ts'
import type { RepositorySource } from '../client/repository-source.ts'
import {
  publicFolder,
  shareMirror,
  type MirrorContext,
  type MirrorMemory,
} from '../mirror/open-mirror.ts'
import { adviseRenewal, listExpiries, type JudgedExpiry } from '../mirror/role-expiries.ts'
import { settings } from '../mirror/settings.ts'
import { metadataPath } from '../mirror/tree-layout.ts'
import { openFolderSource } from '../store/folder-source.ts'
import { checkContents, type CheckedContents } from './check-contents.ts'
import { clientLimits, openCheckClient } from './check-client.ts'
import { compareTwins } from './checked-source.ts'
import { createForgetfulStorage, openReturningState, type ReturningState } from './client-state.ts'
import { describeLeft, Findings, mendRole, type Finding } from './findings.ts'

export interface CheckOptions extends Omit<MirrorContext, 'check'> {
  readonly directory: string
  /** Every role and record; otherwise what is new, and a sample of the rest. */
  readonly isFull?: boolean
}

export interface CheckReport extends CheckedContents {
  /** At most 200; `more` are not listed. */
  readonly findings: readonly Finding[]
  readonly more: number
  readonly isFull: boolean
  /** The timestamp that was read; 0 where none could be. */
  readonly timestamp: number
  /** Roles that a person has to look after, and that are not urgent yet. */
  readonly warnings: readonly string[]
  /** 3 where anything was found. */
  readonly exitCode: 0 | 3
}

/** Works while a sync is under way: what it checks stays on disk as long as clients may ask for it. */
export async function checkMirror(options: CheckOptions): Promise<CheckReport> {
  const { directory, clock, report } = options
  const mirror = await shareMirror(directory, options)
  try {
    const state = await openReturningState(directory, (message) =>
      report({ kind: 'warning', message }),
    )
    try {
      return await new MirrorCheck(options, mirror.memory, state, clock()).run()
    } finally {
      state.close()
    }
  } finally {
    mirror.close()
  }
}

class MirrorCheck {
  readonly #options: CheckOptions
  readonly #memory: MirrorMemory
  readonly #state: ReturningState
  readonly #now: number
  readonly #source: RepositorySource
  readonly #findings: Findings

  constructor(options: CheckOptions, memory: MirrorMemory, state: ReturningState, now: number) {
    this.#options = options
    this.#findings = new Findings(options.directory)
    this.#memory = memory
    this.#state = state
    this.#now = now
    this.#source = compareTwins(openFolderSource(join(options.directory, publicFolder)))
  }

  async run(): Promise<CheckReport> {
    const expiries = listExpiries(this.#memory, this.#now)
    this.#addExpiries(expiries)
    const client = await this.#openClients()
    const contents = client === undefined ? { roles: 0, records: 0 } : await this.#check(client)
    const isClean = this.#findings.count === 0
    // Only a tree without a fault may become what the next one is compared with.
    if (isClean) this.#state.keep()
    return {
      ...contents,
      findings: this.#findings.listed,
      more: this.#findings.count - this.#findings.listed.length,
      isFull: this.#options.isFull === true,
      timestamp: client?.trust.timestamp ?? 0,
      warnings: expiries
        .filter(({ urgency }) => urgency === 'warning')
        .map((expiry) => this.#describeExpiry(expiry)),
      exitCode: isClean ? 0 : 3,
    }
  }

  #check(client: Repository): Promise<CheckedContents> {
    return checkContents({
      client,
      source: this.#source,
      memory: this.#memory,
      floors: this.#state.floors,
      findings: this.#findings,
      isFull: this.#options.isFull === true,
      now: this.#now,
      report: this.#options.report,
    })
  }

  /** The returning one, where both accept what is there. */
  async #openClients(): Promise<Repository | undefined> {
    const first = await this.#readRoot(1)
    if (first === undefined) return undefined
    const fresh = await this.#open('a new client', first, createForgetfulStorage())
    await this.#openFromNewestRoot(fresh)
    const returning = await this.#open('a returning client', first, this.#state.storage)
    return fresh === undefined ? undefined : returning
  }

  async #openFromNewestRoot(fresh: Repository | undefined): Promise<void> {
    const version = fresh?.trust.root ?? this.#memory.roles.require('root').version
    if (version === 1) return
    const root = await this.#readRoot(version)
    if (root === undefined) return
    const where = `a new client that has pinned root ${version}`
    await this.#open(where, root, createForgetfulStorage())
  }

  async #open(
    where: string,
    pinnedRoot: Bytes,
    storage: ReturningState['storage'],
  ): Promise<Repository | undefined> {
    try {
      const maxUnseenMs = this.#memory.settings.require(settings.maxUnseenMs)
      const client = { pinnedRoot, source: this.#source, storage, now: this.#now, maxUnseenMs }
      return await openCheckClient(client)
    } catch (error) {
      this.#findings.addError(error, where, { mend: mendRole(this.#options.directory) })
      return undefined
    }
  }

  async #readRoot(version: number): Promise<Bytes | undefined> {
    const path = metadataPath('root', version)
    try {
      const fetched = await this.#source.fetchMetadata(path, clientLimits.refresh.maxRootBytes)
      if (typeof fetched === 'object') return fetched.bytes
    } catch (error) {
      this.#findings.addError(error, 'the roots', { file: path })
      return undefined
    }
    this.#findings.add({
      where: 'the roots',
      file: path,
      code: 'METADATA_UNAVAILABLE',
      message: `${path} is missing: clients follow the roots one by one`,
      next: 'Put it back from a client that has it pinned, or from a backup; roots are never deleted.',
    })
    return undefined
  }

  #addExpiries(expiries: readonly JudgedExpiry[]): void {
    for (const expiry of expiries) {
      if (expiry.urgency !== 'failing') continue
      this.#findings.add({
        where: 'expiry',
        file: metadataPath(expiry.role, expiry.version),
        code: 'EXPIRED',
        message: `${expiry.role} ${describeLeft(expiry.expires, this.#now)}`,
        next: this.#adviseRenewal(expiry),
      })
    }
  }

  #describeExpiry(expiry: JudgedExpiry): string {
    const left = describeLeft(expiry.expires, this.#now)
    return `${expiry.role} ${left}. ${this.#adviseRenewal(expiry)}`
  }

  #adviseRenewal(expiry: JudgedExpiry): string {
    return adviseRenewal(expiry, { now: this.#now, directory: this.#options.directory })
  }
}
