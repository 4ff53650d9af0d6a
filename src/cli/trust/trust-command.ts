/** `tufgate trust show|compare`: what is trusted here, to be given to others or compared with theirs. */

import { encodeUtf8, toPrintable, type Bytes } from '../../base/bytes.ts'
import { formatUtcSeconds } from '../../base/clock.ts'
import { sha256Hex } from '../../base/digest.ts'
import { ConfigError, StorageError } from '../../base/errors.ts'
import { renderJournalHead } from '../../mirror/journal-check.ts'
import { findSignedHead } from '../../mirror/journal-recovery.ts'
import { MetadataDirectory } from '../../store/metadata-directory.ts'
import { parseSnapshot, parseTimestamp } from '../../tuf/parse.ts'
import {
  compareStatements,
  renderStatement,
  type Comparison,
  type TrustStatement,
} from '../../tuf/trust-statement.ts'
import type { TrustedSet } from '../../tuf/trusted-set.ts'
import type { OpenIndex } from '../serve/open-index.ts'
import { openReading, type ReadingFlags } from '../serve/open-reading.ts'
import { describeFirstContact } from '../serve/repository-events.ts'
import { readStatement } from '../serve/read-statement.ts'
import { note, paint, say, sayJson, warn } from '../terminal.ts'
import { writeOutput } from '../write-output.ts'

export interface TrustFlags extends ReadingFlags {
  /** Of an index, where the settings have several. */
  readonly name?: string
  readonly json?: boolean
  readonly output?: string
}

export async function runTrustShow({ json, output, ...flags }: TrustFlags): Promise<number> {
  const statement = await readOwn(flags)
  const text = renderStatement(statement)
  if (output !== undefined) {
    await writeOutput(output, encodeUtf8(text))
    note(
      `written to ${toPrintable(output, 500)}; give it to others with the root: serve --floor FILE`,
    )
  } else if (json === true) process.stdout.write(text)
  else for (const line of describeStatement(statement)) say(line)
  return 0
}

/** Two documents, or one and what is trusted here. */
export async function runTrustCompare(
  [first, second]: readonly string[],
  { json, ...flags }: TrustFlags,
): Promise<number> {
  if (first === undefined)
    throw new ConfigError('CONFIG_INVALID', 'Nothing was named to compare with.', {
      next: 'Name what tufgate trust show -o FILE has written elsewhere.',
    })
  const left = readStatement(first)
  const right = second === undefined ? await readOwn(flags) : readStatement(second)
  const comparison = compareStatements(left, right)
  if (json === true) sayJson({ ...comparison, left, right })
  else sayComparison(comparison, { name: first, ...left }, { name: second ?? 'here', ...right })
  return { same: 0, split: 3, untold: 1 }[comparison.kind]
}

async function readOwn({ name, ...flags }: TrustFlags): Promise<TrustStatement> {
  const reading = await openReading(flags)
  try {
    const at = reading.indexes.findIndex((index) => name === undefined || index.name === name)
    const [index, state] = [reading.indexes[at], reading.states[at]]
    if (index === undefined || state === undefined)
      throw new ConfigError('CONFIG_INVALID', `No index is called ${toPrintable(name ?? '')}.`, {
        expected: reading.indexes.map((one) => one.name).join(', '),
      })
    return await buildStatement(index, state.directory.metadata)
  } finally {
    await reading.close()
  }
}

/** The files are read back from disk, where a proxy may just be putting newer ones. */
async function buildStatement(
  { name, opened, repository, rootSha256, contact }: OpenIndex,
  folder: string,
): Promise<TrustStatement> {
  if (opened !== undefined)
    throw new ConfigError(
      'CONFIG_INVALID',
      `Index ${name} has no mirror: nobody else has its list.`,
      {
        next: 'Name a mirror: --index, --mirror and --root. What was seen at first use is compared by its pins: tufgate pins export.',
      },
    )
  // As of a proxy that has just begun: an old list that has not expired looks like the newest.
  const firstContact = describeFirstContact(contact)
  if (firstContact !== undefined) warn(firstContact)
  const trusted = await repository.requireFresh()
  const metadata = await MetadataDirectory.open(folder)
  const timestamp = await metadata.readTop('timestamp', maxBytes)
  const snapshot = await metadata.readTop('snapshot', maxBytes, trusted.snapshot?.version)
  if (timestamp === undefined || snapshot === undefined || !isOf(trusted, timestamp, snapshot))
    throw new StorageError('STATE_BUSY', 'the signed list was just being replaced by a newer one', {
      next: 'Try again.',
    })
  const journal = findSignedHead(timestamp)
  return {
    root: rootSha256,
    rootVersion: trusted.root.version,
    epoch: trusted.floors.epoch,
    timestamp: { version: parseTimestamp(timestamp).claimed.version, sha256: sha256Hex(timestamp) },
    snapshot: { version: parseSnapshot(snapshot).claimed.version, sha256: sha256Hex(snapshot) },
    signedAt: trusted.timestamp?.signedAt ?? 0,
    ...(journal !== undefined && { journal: renderJournalHead(journal) }),
  }
}

/** Whatever was trusted fitted into it. */
const maxBytes = 64_000_000

function isOf(trusted: TrustedSet, timestamp: Bytes, snapshot: Bytes): boolean {
  return (
    parseTimestamp(timestamp).claimed.version === trusted.timestamp?.version &&
    parseSnapshot(snapshot).claimed.version === trusted.snapshot?.version
  )
}

function describeStatement(statement: TrustStatement): string[] {
  const { root, rootVersion, timestamp, snapshot, signedAt, journal } = statement
  return [
    `pinned root  sha256 ${root}, followed to version ${rootVersion}`,
    `timestamp    version ${timestamp.version}, sha256 ${timestamp.sha256}`,
    `snapshot     version ${snapshot.version}, sha256 ${snapshot.sha256}`,
    ...(signedAt > 0 ? [`signed       ${formatUtcSeconds(signedAt)}`] : []),
    ...(journal === undefined ? [] : [`journal head ${journal}`]),
  ]
}

interface Named extends TrustStatement {
  readonly name: string
}

function sayComparison(comparison: Comparison, left: Named, right: Named): void {
  if (comparison.kind === 'same') {
    say(`the same list: snapshot version ${left.snapshot.version}, sha256 ${left.snapshot.sha256}`)
    if (left.timestamp.version !== right.timestamp.version) sayRenewed(left, right)
    return
  }
  if (comparison.kind === 'split') {
    const { role, version } = comparison
    say(`${paint('red', 'TWO LISTS')}: version ${version} of ${role} has two contents`)
    for (const one of [left, right])
      say(`  ${toPrintable(one.name, 500)}: sha256 ${one[role].sha256}`)
    say(
      '  Whoever holds the keys of the mirror has signed both, or a thief has. Install nothing; ask who runs it.',
    )
    return
  }
  say('this cannot be told:')
  for (const one of [left, right]) say(`  ${toPrintable(one.name, 500)}: ${describeVersions(one)}`)
  say(`  ${adviceFor(comparison.reason, left, right)}`)
}

/** Nothing has changed in between: only that it is still so was signed again. */
function sayRenewed(left: Named, right: Named): void {
  const [older, newer] = [left, right].toSorted((a, b) => a.timestamp.version - b.timestamp.version)
  if (older === undefined || newer === undefined) return
  const { timestamp, name } = newer
  say(
    `  ${toPrintable(name, 500)} has it from a later signature (timestamp ${timestamp.version}, not ${older.timestamp.version})`,
  )
}

function describeVersions({ root, rootVersion, timestamp, snapshot }: TrustStatement): string {
  return `pinned root ${root.slice(0, 12)}..., root ${rootVersion}, timestamp ${timestamp.version}, snapshot ${snapshot.version}`
}

function adviceFor(reason: 'roots' | 'versions', left: Named, right: Named): string {
  if (reason === 'roots')
    return 'They began with different roots: two mirrors, or one that is false.'
  const [older] = [left, right].toSorted((a, b) => a.snapshot.version - b.snapshot.version)
  const again = 'Write both anew at the same time, and compare again.'
  return older?.journal === undefined
    ? again
    : `${again} Or look whether the older one is a part of the newer: tufgate mirror log COPY --verify --root 1.root.json --head ${older.journal}`
}
