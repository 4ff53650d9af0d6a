/** A mirror in a temporary folder, with a clock that the test moves. */

import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sha256Hex } from '../../src/base/digest.ts'
import { openMirrorIndex } from '../../src/cli/mirror/mirror-index.ts'
import { approveHeld, type ApproveResult, type HoldSelection } from '../../src/mirror/approve.ts'
import type { OpenIndex } from '../../src/mirror/index-choice.ts'
import { initMirror, type InitOptions, type InitResult } from '../../src/mirror/init.ts'
import { renewMirror, type RenewResult } from '../../src/mirror/renew.ts'
import { defaultChangePolicy, type ChangePolicy } from '../../src/mirror/mirror-settings.ts'
import type { MirrorEvent } from '../../src/mirror/report.ts'
import { mirrorStatus, type MirrorStatus } from '../../src/mirror/status.ts'
import { syncMirror, type SyncOptions, type SyncResult } from '../../src/mirror/sync.ts'
import { parseRecord, type ProjectRecord } from '../../src/simple/record.ts'

export const hourMs = 3_600_000
export const dayMs = 24 * hourMs

export interface PageFile {
  readonly filename: string
  readonly content?: string
  readonly yanked?: string
  readonly url?: string
  readonly sha256?: string | null
  readonly extra?: Readonly<Record<string, unknown>>
}

/** For tests whose index does as it likes: nothing waits for a person. */
export const signEverything: ChangePolicy = {
  ...defaultChangePolicy,
  'many-removed': 'sign',
  'file-revived': 'sign',
  'project-revived': 'sign',
  'late-file': 'sign',
}

interface SignedDocument {
  readonly signed: {
    readonly version: number
    readonly expires: string
    readonly meta: Readonly<Record<string, { version: number; length?: number }>>
    readonly targets: Readonly<Record<string, { length: number; hashes: { sha256: string } }>>
    readonly 'x-tufgate'?: { readonly signed: string; readonly 'index-seen'?: string }
  }
}

/** The server of a test has the time of day, and the fixture one of its own. */
const openWithoutClock: OpenIndex = async (address) => {
  const port = await openMirrorIndex(address)
  return { ...port, findTime: () => Promise.resolve(undefined) }
}

export class MirrorFixture {
  readonly root: string
  readonly events: MirrorEvent[] = []
  now = Date.parse('2026-03-01T12:00:00Z')
  #index: string | undefined

  constructor(root: string) {
    this.root = root
  }

  static async create(): Promise<MirrorFixture> {
    const fixture = new MirrorFixture(await mkdtemp(join(tmpdir(), 'tufgate-mirror-')))
    await mkdir(join(fixture.index, 'simple'), { recursive: true })
    return fixture
  }

  get directory(): string {
    return join(this.root, 'mirror')
  }

  get public(): string {
    return join(this.directory, 'public')
  }

  get index(): string {
    return join(this.root, 'index')
  }

  get context(): Pick<InitOptions, 'directory' | 'clock' | 'report'> {
    const report = (event: MirrorEvent): void => void this.events.push(event)
    return { directory: this.directory, clock: () => this.now, report }
  }

  init(options: Partial<InitOptions> = {}): Promise<InitResult> {
    return initMirror({ ...this.context, bins: 4, ...options })
  }

  /** Of the folder, unless the first sync was of another index. */
  sync(options: Partial<SyncOptions> = {}): Promise<SyncResult> {
    this.#index = options.index ?? this.#index ?? this.index
    const baseUrl = 'https://files.test/'
    const choice = { index: this.#index, baseUrl, openIndex: openWithoutClock }
    return syncMirror({ ...this.context, ...choice, ...options })
  }

  approve(selection: HoldSelection = { all: true }): Promise<ApproveResult> {
    return approveHeld({ ...this.context, ...selection })
  }

  renew(): Promise<RenewResult> {
    return renewMirror(this.context)
  }

  status(): Promise<MirrorStatus> {
    return mirrorStatus(this.context)
  }

  /** A page in JSON; the files themselves are not there. */
  async putPage(project: string, files: readonly (PageFile | string)[]): Promise<void> {
    const page = {
      meta: { 'api-version': '1.4', '_last-serial': 7 },
      name: project,
      versions: [],
      files: files.map((file) => renderFile(typeof file === 'string' ? { filename: file } : file)),
    }
    await this.putRawPage(project, 'index.json', JSON.stringify(page))
  }

  async putRawPage(project: string, name: string, text: string): Promise<void> {
    await mkdir(join(this.index, 'simple', project), { recursive: true })
    await writeFile(join(this.index, 'simple', project, name), text)
  }

  async dropPage(project: string): Promise<void> {
    await rm(join(this.index, 'simple', project), { recursive: true })
  }

  async readMetadata(name: string): Promise<SignedDocument['signed']> {
    const text = await readFile(join(this.public, 'metadata', `${name}.json`), 'utf8')
    return (JSON.parse(text) as SignedDocument).signed
  }

  /** As a client finds it: timestamp, snapshot, the bin, the record. */
  async findRecord(project: string): Promise<ProjectRecord | undefined> {
    const timestamp = await this.readMetadata('timestamp')
    const snapshot = await this.readMetadata(`${timestamp.meta['snapshot.json']!.version}.snapshot`)
    for (const [file, { version }] of Object.entries(snapshot.meta)) {
      if (!file.startsWith('bins-')) continue
      const bin = await this.readMetadata(`${version}.${file.replace('.json', '')}`)
      const target = bin.targets[`simple/${project}/index.json`]
      if (target !== undefined) return this.#readRecord(project, target)
    }
    return undefined
  }

  async #readRecord(
    project: string,
    { length, hashes }: { length: number; hashes: { sha256: string } },
  ): Promise<ProjectRecord> {
    const path = join(this.public, 'targets/simple', project, `${hashes.sha256}.index.json`)
    const bytes = await readFile(path)
    if (bytes.length !== length || sha256Hex(bytes) !== hashes.sha256)
      throw new Error('not the target')
    return parseRecord(bytes, project)
  }

  /** Of one kind, those since the last call. */
  takeEvents<K extends MirrorEvent['kind']>(kind: K): Extract<MirrorEvent, { kind: K }>[] {
    const found = this.events.filter((event) => event.kind === kind)
    this.events.length = 0
    return found as Extract<MirrorEvent, { kind: K }>[]
  }

  async remove(): Promise<void> {
    await rm(this.root, { recursive: true, force: true })
  }
}

export function digestOf(content: string): string {
  return sha256Hex(Buffer.from(content))
}

function renderFile({ filename, content, yanked, url, sha256, extra }: PageFile): object {
  const digest = sha256 === undefined ? digestOf(content ?? filename) : sha256
  return {
    filename,
    url: url ?? `../../files/${filename}`,
    hashes: digest === null ? {} : { sha256: digest },
    ...(yanked !== undefined && { yanked: yanked === '' ? true : yanked }),
    ...extra,
  }
}
