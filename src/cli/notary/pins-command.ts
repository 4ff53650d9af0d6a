/** `tufgate pins export|import`: what was seen at first use, from one machine to others and into a repository. */

import { encodeUtf8, toPrintable } from '../../base/bytes.ts'
import { ConfigError } from '../../base/errors.ts'
import { openMirror, readMirror, type MirrorMemory } from '../../mirror/open-mirror.ts'
import { settings } from '../../mirror/settings.ts'
import { importPins, listPins, type PinConflict } from '../../notary/exchange-pins.ts'
import {
  buildLostError,
  explainLoss,
  findNotaryPlace,
  hasNotary,
  listNotaryIndexes,
  requireNotary,
  type NotaryPlace,
} from '../../notary/notary-folder.ts'
import { waitWhileBusy } from '../../store/wait-while-busy.ts'
import { renderPins, type Pin } from '../../policy/pin-set.ts'
import { writeOutput } from '../write-output.ts'
import { isHttpUrl } from '../location.ts'
import { chooseNotaryPlace, chooseSeenPlace, type NotaryFlags } from './notary-choice.ts'
import { readPins } from '../serve/read-policy.ts'
import { note, say, sayJson, warn } from '../terminal.ts'

export interface PinsExportFlags extends NotaryFlags {
  readonly output?: string
  readonly mirror?: string
}

export interface PinsImportFlags extends NotaryFlags {
  readonly acceptIndex?: boolean
  readonly json?: boolean
}

const maxConflictsShown = 20
/** As many lines as make a text that can still be read back. */
const maxExported = 1_000_000

export async function runPinsExport(flags: PinsExportFlags): Promise<number> {
  const { index, pins, origin } = await readSeen(flags)
  const comments = [`name version file sha256, as ${origin}`]
  const text = renderPins(pins, { index, comments })
  if (flags.output === undefined) {
    process.stdout.write(text)
    return 0
  }
  await writeOutput(flags.output, encodeUtf8(text))
  note(`${pins.length} files of ${index} written to ${toPrintable(flags.output, 500)}`)
  return 0
}

interface Seen {
  readonly index: string
  readonly pins: readonly Pin[]
  /** For a person who reads the file. */
  readonly origin: string
}

async function readSeen(flags: PinsExportFlags): Promise<Seen> {
  if (flags.mirror !== undefined) return readSigned(flags.mirror, flags)
  const place = await chooseSeenPlace(flags)
  await requireSeen(place)
  try {
    const pins = await readMirror(place.path, collectPins)
    const origin = 'seen at first use: nobody vouches for what was seen then'
    return { index: place.index, pins, origin }
  } catch (error) {
    throw explainLoss(place, error)
  }
}

/** Whatever a mirror has bound: owners' files too. */
function readSigned(directory: string, { index, config, stateDir }: NotaryFlags): Promise<Seen> {
  if ((index ?? config ?? stateDir) !== undefined) {
    throw new ConfigError('CONFIG_INVALID', '--mirror says all: a mirror follows one index.', {
      next: 'Leave --index, --config and --state-dir out.',
    })
  }
  return readMirror(directory, (memory) => ({
    index: memory.settings.find(settings.index) ?? directory,
    pins: collectPins(memory),
    origin: 'signed by a mirror',
  }))
}

function collectPins(memory: MirrorMemory): readonly Pin[] {
  const pins: Pin[] = []
  for (const pin of listPins(memory)) {
    if (pins.push(pin) <= maxExported) continue
    throw new ConfigError('CONFIG_INVALID', 'There are too many files for a pins file.', {
      expected: `at most ${maxExported}`,
      next: 'Use the mirror itself: tufgate serve --mirror LOCATION --root FILE',
    })
  }
  return pins
}

async function requireSeen(place: NotaryPlace): Promise<void> {
  switch (await hasNotary(place)) {
    case 'whole':
      return
    case 'lost':
      throw buildLostError(place, 'mirror.db is gone')
    case 'never':
      throw new ConfigError('CONFIG_INVALID', `Nothing of ${place.index} was seen yet`, {
        expected: place.path,
        next: adviseUnseen(place),
      })
  }
}

function adviseUnseen({ stateHome }: NotaryPlace): string {
  const seen = listNotaryIndexes(stateHome)
  const elsewhere = 'Where the state is elsewhere: --state-dir FOLDER'
  return seen.length === 0
    ? `Run tufgate serve with this index, install something through it, then export. ${elsewhere}`
    : `Choose one that was seen with --index: ${toPrintable(seen.join(', '), 500)}. ${elsewhere}`
}

export async function runPinsImport(file: string, flags: PinsImportFlags): Promise<number> {
  const place = chooseNotaryPlace(flags)
  const pins = readPins(file)
  if (flags.acceptIndex !== true) requireIndex(place, pins.index, file)
  await requireNotary(place, Date.now)
  const context = { clock: Date.now, report: () => undefined }
  const mirror = await waitWhileBusy(() => openMirror(place.path, context))
  try {
    const result = importPins(mirror, pins)
    if (flags.json === true) sayJson(result)
    if (result.conflicts.length > 0) return refuseConflicts(result.conflicts)
    if (flags.json !== true) {
      say(`${result.added} files imported, ${result.known} were known before, from ${pins.source}`)
    }
    return 0
  } finally {
    await mirror.close()
  }
}

function requireIndex(
  { index, stateHome }: NotaryPlace,
  found: string | undefined,
  file: string,
): void {
  const isUrl = found !== undefined && isHttpUrl(found)
  if (isUrl && findNotaryPlace(stateHome, found).index === index) return
  throw new ConfigError('CONFIG_INVALID', `${file} is not of the index ${index}`, {
    expected: index,
    found: toPrintable(found ?? 'no index'),
    next: 'Choose the index with --index, or say --accept-index if the same index has another URL here.',
  })
}

function refuseConflicts(conflicts: readonly PinConflict[]): number {
  for (const { file, sha256, seenHere } of conflicts.slice(0, maxConflictsShown)) {
    warn(`${toPrintable(file)}\n  pinned:    ${sha256}\n  seen here: ${seenHere}`)
  }
  const count = conflicts.length === 1 ? '1 file was' : `${conflicts.length} files were`
  warn(`${count} seen here with another sha256 than the pins say. Nothing was imported.`)
  note('Find out which of the two machines was shown something else, and by whom.')
  return 3
}
