/**
 * The pins file: which file names were seen, each with its one sha256. One line a file,
 * `name version file sha256`, sorted, so that a change of a repository's pins is a change of a line.
 *
 * Text in, a value out, and back. It judges nothing; `decide.ts` and the notary do.
 */

import { toPrintable } from '../base/bytes.ts'
import { isSha256 } from '../base/digest.ts'
import { ConfigError } from '../base/errors.ts'
import { parseFilename } from '../simple/filename.ts'
import { isNormalizedName } from '../simple/names.ts'
import { isFilename } from '../simple/read-text.ts'

export interface PinSet {
  /** For messages: the file that it was read from. */
  readonly source: string
  /** As its header says; a person reads it. */
  readonly index?: string
  /** sha256 by file name, by normalized project. */
  readonly projects: ReadonlyMap<string, ReadonlyMap<string, string>>
  readonly count: number
}

export interface Pin {
  /** Normalized. */
  readonly project: string
  readonly file: string
  readonly sha256: string
}

const headerLine = '# tufgate pins 1'
const indexLine = '# index: '
/** 20 million files of a whole index are no file for a repository; this is far above any real one. */
const maxPins = 5_000_000

/** Throws ConfigError CONFIG_INVALID, with the line. */
export function parsePins(text: string, source: string): PinSet {
  const projects = new Map<string, Map<string, string>>()
  let index: string | undefined
  let count = 0
  for (const [at, raw] of text.split('\n').entries()) {
    // Windows editors put a byte order mark before the first line.
    const line = (at === 0 ? raw.replace(/^\uFEFF/, '') : raw).trimEnd()
    if (at === 0) requireHeader(line, source)
    if (line.startsWith(indexLine)) index ??= line.slice(indexLine.length)
    if (line === '' || line.startsWith('#')) continue
    const pin = parsePin(line, `${source}, line ${at + 1}`)
    addPin(projects, pin, `${source}, line ${at + 1}`)
    count += 1
    if (count > maxPins) throw invalid(source, `more than ${maxPins} files`, 'Split it.')
  }
  return { source, projects, count, ...(index !== undefined && { index }) }
}

function requireHeader(line: string, source: string): void {
  if (line === headerLine) return
  const next = 'Make one with: tufgate pins export -o FILE'
  throw invalid(`${source}, line 1`, 'this is no pins file of tufgate', next, {
    expected: headerLine,
    found: toPrintable(line, 80),
  })
}

function parsePin(line: string, place: string): Pin {
  const [project = '', , rawFile = '', sha256 = '', ...more] = line.split(' ')
  // No file name has a `%` of its own.
  const file = rawFile.replaceAll('%20', ' ')
  const isPin =
    isNormalizedName(project) && isFilename(file) && isSha256(sha256) && more.length === 0
  if (isPin && parseFilename(file, project).belongs) return { project, file, sha256 }
  const facts = { expected: 'name version file sha256', found: toPrintable(line, 200) }
  throw invalid(place, 'this line names no file', 'Export the pins again.', facts)
}

function addPin(projects: Map<string, Map<string, string>>, pin: Pin, place: string): void {
  const files = projects.get(pin.project) ?? new Map<string, string>()
  const before = files.get(pin.file)
  if (before !== undefined && before !== pin.sha256) {
    const facts = { expected: before, found: pin.sha256 }
    const next = 'Find out which line is right, and drop the other one.'
    throw invalid(place, `${toPrintable(pin.file)} stands twice, with two digests`, next, facts)
  }
  files.set(pin.file, pin.sha256)
  projects.set(pin.project, files)
}

function invalid(
  place: string,
  problem: string,
  next: string,
  facts: { readonly expected?: string; readonly found?: string } = {},
): ConfigError {
  return new ConfigError('CONFIG_INVALID', `${place}: ${problem}`, { ...facts, next })
}

/** The same pins give the same text, in whatever order they come. `comments` go into the header. */
export function renderPins(
  pins: Iterable<Pin>,
  { index, comments = [] }: { readonly index: string; readonly comments?: readonly string[] },
): string {
  const lines = Array.from(pins, renderPin).toSorted(compareText)
  const header = [headerLine, `${indexLine}${index}`, ...comments.map((text) => `# ${text}`)]
  return `${[...header, ...new Set(lines)].join('\n')}\n`
}

function renderPin({ project, file, sha256 }: Pin): string {
  // For a person who reads the diff; nothing depends on it.
  const version = parseFilename(file, project).version ?? '-'
  return `${project} ${escapeSpaces(version)} ${escapeSpaces(file)} ${sha256}`
}

function escapeSpaces(text: string): string {
  return text.replaceAll(' ', '%20')
}

/** By code unit: the order must not depend on the locale of a machine. */
function compareText(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0
}

/** `.metadata` files are not pinned by a line of their own; `undefined` where the name is not pinned. */
export function findPin(pins: PinSet, project: string, file: string): string | undefined {
  return pins.projects.get(project)?.get(file)
}
