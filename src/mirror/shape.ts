/**
 * What a mirror signs besides records, and how much its snapshot says: chosen at `init`, changed later
 * at any time. Only the number of bins is not changed here: that needs the offline key of bins.
 */

import { ConfigError } from '../base/errors.ts'
import type { RecordContent } from '../simple/record.ts'
import { dropExtraTargets, findExtraTargets, putExtraTargets } from './extra-targets.ts'
import type { KnownProject } from './ledger.ts'
import { readMirror, type Mirror, type MirrorContext } from './open-mirror.ts'
import { publishNow, type Published } from './publish-now.ts'
import { walkNames } from './published-list.ts'
import { settings, type SettingStore } from './settings.ts'
import { readRecord } from './signed-record.ts'
import { renderTwin, stageTwin } from './stage-record.ts'

export type SnapshotHashes = 'on' | 'off' | 'auto'

export interface Shape {
  /** Every distribution is a target too: the letter of PEP 458. */
  readonly signsFiles: boolean
  /** The HTML twin of each record is a target too. */
  readonly signsHtml: boolean
  /** Whether snapshot says length and sha256 of each bin; `auto`: of up to 512 bins. */
  readonly snapshotHashes: SnapshotHashes
}

export interface ShapeResult {
  readonly shape: Shape
  /** Listed files that are no targets yet, because nobody knows how long they are. */
  readonly filesWithoutTarget: number
}

export interface ShapeOptions extends MirrorContext {
  readonly directory: string
}

const projectsAtOnce = 64

export function readShape(store: SettingStore): Shape {
  const hashes = store.find(settings.snapshotHashes)
  return {
    signsFiles: store.find(settings.signsFiles) === true,
    signsHtml: store.find(settings.signsHtml) === true,
    snapshotHashes: hashes === 'on' || hashes === 'off' ? hashes : 'auto',
  }
}

/** Within a transaction, or before anything is signed. */
export function putShape(store: SettingStore, change: Partial<Shape>): void {
  const { signsFiles, signsHtml, snapshotHashes } = change
  if (signsFiles !== undefined) store.put(settings.signsFiles, signsFiles)
  if (signsHtml !== undefined) store.put(settings.signsHtml, signsHtml)
  if (snapshotHashes !== undefined) store.put(settings.snapshotHashes, snapshotHashes)
}

export function describeShape({ directory }: ShapeOptions): Promise<ShapeResult> {
  return readMirror(directory, (memory) => ({
    shape: readShape(memory.settings),
    filesWithoutTarget: memory.ledger.countFilesWithoutTarget(),
  }))
}

/** Published at once. What is asked for again is done again: that mends a change that was cut off. */
export function changeShape(
  options: ShapeOptions,
  change: Partial<Shape>,
): Promise<ShapeResult & { readonly published: Published | undefined }> {
  return publishNow(options, async (mirror, now) => {
    const { ledger } = mirror
    ledger.database.transaction(() => {
      putShape(mirror.settings, change)
      if (change.signsFiles === false) dropExtraTargets(ledger.database, 'files', now)
      if (change.signsHtml === false) dropExtraTargets(ledger.database, 'html', now)
      mirror.roles.markDirty('snapshot')
    })
    if (change.signsFiles === true || change.signsHtml === true) await addAll(mirror, now)
    const shape = readShape(mirror.settings)
    const filesWithoutTarget = shape.signsFiles ? ledger.countFilesWithoutTarget() : 0
    if (filesWithoutTarget > 0) askAgain(mirror, filesWithoutTarget)
    return { shape, filesWithoutTarget }
  })
}

/** Their pages come in full at the next sync, which asks for their lengths. */
function askAgain({ ledger, settings: store, report }: Mirror, count: number): void {
  ledger.database.transaction(() => {
    ledger.forgetEtagsOfUnsized()
    store.put(settings.listValidator, '')
  })
  const message = `${count} files are no targets yet: nobody knows how long they are`
  report({ kind: 'warning', message, next: 'The next sync asks for their lengths.' })
}

/** What every record that is signed already brings with it, some records at a time. */
async function addAll(mirror: Mirror, now: number): Promise<void> {
  const total = mirror.ledger.countProjects()
  let done = 0
  let names: string[] = []
  for (const name of walkNames(mirror)) {
    names.push(name)
    if (names.length < projectsAtOnce) continue
    await addSome(mirror, names, now)
    done += names.length
    mirror.report({ kind: 'progress', done, total })
    names = []
  }
  await addSome(mirror, names, now)
}

async function addSome(mirror: Mirror, names: readonly string[], now: number): Promise<void> {
  const found: (readonly [string, NonNullable<ReturnType<typeof findExtraTargets>>])[] = []
  for (const name of names) {
    const known = mirror.ledger.findProject(name)
    const record = known && (await readSigned(mirror, known))
    if (record === undefined) continue
    const html = renderTwin(record)
    const extra = findExtraTargets(mirror.settings, record, { html, now })
    if (extra === undefined) continue
    if (extra.html !== undefined) await stageTwin(mirror, name, html)
    found.push([name, extra])
  }
  await mirror.tree.publish()
  mirror.ledger.database.transaction(() => {
    for (const [name, extra] of found) putExtraTargets(mirror.ledger.database, name, extra)
  })
}

async function readSigned(mirror: Mirror, known: KnownProject): Promise<RecordContent | undefined> {
  const record = await readRecord(mirror, known)
  if (record !== undefined) return record
  const message = `The record of ${known.name} is missing or damaged on disk; nothing of it was added`
  mirror.report({ kind: 'warning', message, next: 'Sync it, then run the command again.' })
  return undefined
}

export function requireSnapshotHashes(raw: string): SnapshotHashes {
  if (raw === 'on' || raw === 'off' || raw === 'auto') return raw
  throw new ConfigError('CONFIG_INVALID', 'The hashes of a snapshot are on, off or auto', {
    expected: 'on, off or auto',
    found: raw,
  })
}
