/**
 * `mirror verify-files`: every listed file is downloaded and compared once in its life.
 *
 * What differs is reported and journalled, and changes nothing that is signed: a difference is a
 * question for a person. The mirror's lock is not held meanwhile, so that syncs go on.
 */

import { join } from 'node:path'
import { formatSpan } from '../base/clock.ts'
import { sha256Hex } from '../base/digest.ts'
import { ConfigError, describeError, isTufgateError, StorageError } from '../base/errors.ts'
import { parseRecord, type RecordFile } from '../simple/record.ts'
import { readRegular } from '../store/regular-file.ts'
import { ScratchFile } from '../store/scratch-file.ts'
import { compareFile, type FileDifference } from './check-file.ts'
import type { OpenIndex } from './index-choice.ts'
import type { IndexPort } from './index-port.ts'
import type { JournalEvent } from './journal.ts'
import { publicFolder, shareMirror, type MirrorContext, type SharedMirror } from './open-mirror.ts'
import { walkNames } from './published-list.ts'
import { settings } from './settings.ts'
import { recordTarget, targetPath } from './tree-layout.ts'
import { VerifiedFiles } from './verified-files.ts'

export interface VerifyFilesOptions extends MirrorContext {
  readonly directory: string
  readonly openIndex: OpenIndex
  /** Normalized; left out, all that is signed. */
  readonly projects?: readonly string[]
  /** Files downloaded at the same time; default 4. */
  readonly parallel?: number
  readonly sleep: (milliseconds: number) => Promise<void>
}

export interface DifferingFile extends FileDifference {
  readonly project: string
  readonly file: string
}

export interface VerifyFilesResult {
  readonly verified: number
  readonly bytes: number
  /** At most 1000. */
  readonly differing: readonly DifferingFile[]
  /** Files that could not be downloaded; they are tried again next time. */
  readonly failed: number
  /** 3: something differs; 1: something could not be downloaded. */
  readonly exitCode: 0 | 1 | 3
}

const defaultParallel = 4
const maxListed = 1000
/** Of the lock, for the journal. */
const lockTries = 600
const lockPauseMs = 1000

export async function verifyFiles(options: VerifyFilesOptions): Promise<VerifyFilesResult> {
  const shared = await shareMirror(options.directory, options)
  try {
    for (const project of options.projects ?? []) requireSigned(shared, project)
    const port = await openKnownIndex(shared, options.openIndex)
    try {
      return await new Verification(shared, port, options).run()
    } finally {
      await port.close()
    }
  } finally {
    shared.close()
  }
}

function requireSigned({ memory }: SharedMirror, project: string): void {
  if (memory.ledger.findProject(project) !== undefined) return
  throw new ConfigError('CONFIG_INVALID', `The mirror has not signed anything of ${project}`, {
    found: project,
    next: 'Check the spelling, or sync it first.',
  })
}

/** The index that the mirror follows. Throws CONFIG_INVALID where it follows none yet. */
async function openKnownIndex(
  { memory, directory }: SharedMirror,
  openIndex: OpenIndex,
): Promise<IndexPort> {
  const index = memory.settings.find(settings.index)
  if (index === undefined) {
    throw new ConfigError('CONFIG_INVALID', 'The mirror does not follow any index yet', {
      next: `Sync it first: tufgate mirror sync ${directory} --index https://pypi.org/simple/`,
    })
  }
  const baseUrl = memory.settings.find(settings.baseUrl)
  const fileHosts = memory.settings.find(settings.fileHosts)
  const contact = memory.settings.find(settings.contact)
  return openIndex({
    index,
    ...(baseUrl !== undefined && { baseUrl }),
    ...(fileHosts !== undefined && { fileHosts }),
    ...(contact !== undefined && { contact }),
  })
}

interface Task {
  readonly project: string
  readonly file: RecordFile
}

class Verification {
  readonly #shared: SharedMirror
  readonly #port: IndexPort
  readonly #options: VerifyFilesOptions
  readonly #files: VerifiedFiles
  readonly #differing: DifferingFile[] = []
  #differences = 0
  #verified = 0
  #failed = 0
  #bytes = 0
  #scratches = 0

  constructor(shared: SharedMirror, port: IndexPort, options: VerifyFilesOptions) {
    this.#shared = shared
    this.#port = port
    this.#options = options
    this.#files = new VerifiedFiles(shared.memory.ledger.database)
  }

  async run(): Promise<VerifyFilesResult> {
    const tasks = this.#listTasks()
    const total = this.#files.countOpen()
    const failures: unknown[] = []
    const work = async (): Promise<void> => {
      for (let next = tasks.next(); next.done !== true; next = tasks.next()) {
        if (failures.length > 0) return
        await this.#verifyOne(next.value)
        const done = this.#verified + this.#failed + this.#differences
        this.#options.report({ kind: 'progress', done, total: Math.max(done, total), of: 'files' })
      }
    }
    const count = Math.max(1, this.#options.parallel ?? defaultParallel)
    await Promise.all(
      Array.from({ length: count }, () => work().catch((error) => failures.push(error))),
    )
    if (failures.length > 0) throw failures[0]
    await this.#journal()
    return {
      verified: this.#verified,
      bytes: this.#bytes,
      differing: this.#differing,
      failed: this.#failed,
      exitCode: this.#differences > 0 ? 3 : this.#failed > 0 ? 1 : 0,
    }
  }

  *#listTasks(): Generator<Task, void> {
    const names = this.#options.projects ?? walkNames(this.#shared.memory)
    for (const project of names) {
      const open = this.#files.listOpen(project)
      if (open.size === 0) continue
      for (const file of this.#readFiles(project)) {
        // A conflict is known already: the file that the index has is another one.
        const isGone = file.removed !== undefined || file.conflict !== undefined
        if (!isGone && open.has(file.filename)) yield { project, file }
      }
    }
  }

  #readFiles(project: string): readonly RecordFile[] {
    const known = this.#shared.memory.ledger.findProject(project)
    if (known === undefined) return []
    const path = targetPath(recordTarget(project), known.sha256)
    try {
      const bytes = readRegular(join(this.#options.directory, publicFolder, path))
      if (sha256Hex(bytes) !== known.sha256) throw new Error('it is not what was signed')
      return parseRecord(bytes, project).files
    } catch (error) {
      // Nothing of it was compared: that is no success.
      this.#failed += 1
      const message = `the record of ${project} cannot be read: ${describeError(error)}`
      const next = `Make it again: tufgate mirror sync ${this.#options.directory} --project ${project} --full`
      this.#options.report({ kind: 'warning', message, next })
      return []
    }
  }

  async #verifyOne({ project, file }: Task): Promise<void> {
    this.#scratches += 1
    const folder = join(this.#options.directory, 'scratch')
    const scratch = await ScratchFile.open(folder, `${process.pid}-${this.#scratches}`)
    try {
      await this.#port.fetchFile(file.url, scratch)
      this.#bytes += scratch.size
      this.#note({ project, file }, scratch.size, await compareFile(file, scratch))
    } catch (error) {
      // Our own disk is everybody's problem; anything else is this file's.
      if (!isTufgateError(error) || error instanceof StorageError) throw error
      this.#failed += 1
      const message = `${file.filename}: ${describeError(error)}`
      this.#options.report({ kind: 'failed', project, code: error.code, message })
    } finally {
      await scratch.close()
    }
  }

  #note({ project, file }: Task, length: number, differences: readonly FileDifference[]): void {
    const { filename, coreMetadata } = file
    if (differences.length === 0) {
      const now = this.#options.clock()
      this.#verified += 1
      if ((file.toldSize ?? length) !== length) this.#reportTold({ project, file }, length)
      this.#files.put(project, filename, { length, now })
      if (coreMetadata !== undefined)
        this.#files.put(project, `${filename}.metadata`, { length: 0, now })
      return
    }
    this.#differences += 1
    for (const difference of differences) {
      const found = { project, file: filename, ...difference }
      if (this.#differing.length < maxListed) this.#differing.push(found)
      this.#options.report({ kind: 'differs', ...found })
    }
  }

  #reportTold({ project, file: { filename, toldSize } }: Task, length: number): void {
    const message = `${project}: the server told ${toldSize} bytes for ${filename}, and it has ${length}`
    const next = 'No client refuses it for that; as a target of its own it is signed anew.'
    this.#options.report({ kind: 'warning', message, next })
  }

  /** Once for each difference, however often it is found. */
  async #journal(): Promise<void> {
    const { memory } = this.#shared
    const isNew = ({ project, ...found }: DifferingFile): boolean => {
      const told = [...memory.journal.list({ project, kinds: ['file-differs'] })]
      return !told.some(({ detail }) => isSameDetail(detail, found))
    }
    const events = this.#differing.filter(isNew).map(toEvent)
    if (events.length === 0) return
    await this.#withLock(({ ledger, journal, clock }) => {
      ledger.database.transaction(() => journal.append(events, clock()))
    })
  }

  /** A sync that is at work ends some time. */
  async #withLock(work: (mirror: SharedWork) => void): Promise<void> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await this.#shared.use((mirror) => Promise.resolve(work(mirror)))
      } catch (error) {
        const isBusy = isTufgateError(error) && error.code === 'STATE_BUSY'
        if (!isBusy || tries >= lockTries) throw error
        if (tries === 1) {
          const message = `Another process works on the mirror; the journal waits for it, at most ${formatSpan(lockTries * lockPauseMs)}`
          this.#options.report({ kind: 'note', message })
        }
        await this.#options.sleep(lockPauseMs)
      }
    }
  }
}

type SharedWork = Parameters<Parameters<SharedMirror['use']>[0]>[0]

function toEvent({ project, file, aspect, expected, found }: DifferingFile): JournalEvent {
  return { kind: 'file-differs', project, detail: { file, aspect, expected, found } }
}

function isSameDetail(detail: string, found: Omit<DifferingFile, 'project'>): boolean {
  const { file, aspect, expected } = found
  const known = JSON.parse(detail) as Partial<DifferingFile>
  return (
    known.file === file &&
    known.aspect === aspect &&
    known.expected === expected &&
    known.found === found.found
  )
}
