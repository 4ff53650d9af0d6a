/** `tufgate mirror log`: the notary's journal for a person or a program, and the proof that it is whole. */

import { readFileSync } from 'node:fs'
import { toPrintable } from '../../base/bytes.ts'
import { ConfigError } from '../../base/errors.ts'
import { formatUtcSeconds } from '../../base/clock.ts'
import { parseJournalHead, renderJournalHead } from '../../mirror/journal-check.ts'
import { journalKinds, type JournalEntry, type JournalFilter } from '../../mirror/journal.ts'
import { verifyPublishedJournal } from '../../mirror/published-journal.ts'
import {
  readJournal,
  verifyMirrorJournal,
  type MirrorJournalVerdict,
} from '../../mirror/read-journal.ts'
import { describeEntry } from './journal-words.ts'
import { requireKinds } from './kind-flag.ts'
import { requireProject } from '../project-flag.ts'
import { requireTime } from '../read-time.ts'
import { isHeard, paint, say, sayJson, warn } from '../terminal.ts'

export interface MirrorLogFlags {
  readonly kind?: readonly string[]
  readonly since?: string
  readonly json?: boolean
  readonly verify?: boolean
  readonly head?: string
  readonly root?: string
}

export async function runMirrorLog(
  directory: string,
  project: string | undefined,
  flags: MirrorLogFlags,
): Promise<number> {
  const { verify, head, root } = flags
  if (verify === true || head !== undefined || root !== undefined)
    return verifyLog(directory, project, flags)
  const { kind, since } = flags
  const filter: JournalFilter = {
    ...(project !== undefined && { project: requireProject(project) }),
    ...(kind !== undefined && { kinds: requireKinds(kind, journalKinds) }),
    ...(since !== undefined && { since: requireTime(since, Date.now()) }),
  }
  await readJournal(directory, filter, (entry) => {
    if (flags.json === true) sayJson(toPlain(entry))
    else say(formatEntry(entry))
    // `mirror log | head`: of a long journal nobody wants the rest.
    return isHeard()
  })
  return 0
}

/** Without `prev`: entries that were filtered out are not there to be followed. */
function toPlain({ sequence, sha256, time, kind, project, detail }: JournalEntry): object {
  return {
    ...(JSON.parse(detail) as object),
    sequence,
    time: formatUtcSeconds(time),
    kind,
    ...(project !== undefined && { project }),
    sha256,
  }
}

const styles = { held: 'yellow', warned: 'yellow', kept: 'red' } as const

function formatEntry(entry: JournalEntry): string {
  const { sequence, time, kind, project } = entry
  const { act, words } = describeEntry(entry)
  const style = act !== undefined && act in styles ? styles[act as keyof typeof styles] : 'dim'
  const stamp = formatUtcSeconds(time).replace('T', ' ').slice(0, 19)
  const subject = project === undefined ? '' : `${toPrintable(project)}: `
  const mark = act === undefined ? '' : ` [${toPrintable(act, 20)}]`
  return `${stamp}  ${String(sequence).padStart(6)}  ${paint(style, toPrintable(kind, 40))}  ${subject}${words}${mark}`
}

async function verifyLog(
  directory: string,
  project: string | undefined,
  { head, kind, since, json, root }: MirrorLogFlags,
): Promise<number> {
  if (project !== undefined || kind !== undefined || since !== undefined) {
    throw new ConfigError('CONFIG_INVALID', 'A journal is verified as a whole.', {
      next: 'Leave out the project, --kind and --since.',
    })
  }
  const kept = head === undefined ? undefined : parseJournalHead(head)
  if (head !== undefined && kept === undefined) {
    throw new ConfigError('CONFIG_INVALID', `"${toPrintable(head)}" is not a head of a journal.`, {
      expected: 'SEQUENCE:SHA256, as --verify prints it',
    })
  }
  const options = kept === undefined ? {} : { kept }
  const verdict =
    root === undefined
      ? await verifyMirrorJournal(directory, options)
      : verifyPublishedJournal(directory, { ...options, root: readFileSync(root) })
  if (json === true) sayJson(verdict)
  else sayVerdict(verdict, directory)
  return verdict.findings.length === 0 ? 0 : 3
}

function sayVerdict(verdict: MirrorJournalVerdict, directory: string): void {
  const { entries, head, missing, findings, signed } = verdict
  for (const { sequence, what, expected, found } of findings) {
    const [wanted, seen] = [expected, found].map((text) => toPrintable(text, 400))
    warn(`entry ${sequence} ${what}\n    expected ${wanted}\n    found    ${seen}`)
  }
  for (const { first, last } of missing) {
    say(`entries ${first} to ${last} were lost with a database, and the journal says so`)
  }
  if (head.sequence > 0) say(`head ${renderJournalHead(head)}`)
  say(describeSigned(head.sequence, signed?.sequence))
  const number = `${entries} ${entries === 1 ? 'entry' : 'entries'}`
  say(
    findings.length === 0
      ? `${directory}: ${number}, none was changed`
      : `${directory}: ${number}, ${findings.length === 1 ? '1 finding' : `${findings.length} findings`}`,
  )
}

function describeSigned(last: number, signed: number | undefined): string {
  if (signed === undefined) {
    return last === 0
      ? 'the journal is empty'
      : 'not proven: no timestamp.json that this mirror has signed names a head'
  }
  return signed >= last
    ? 'timestamp.json signs all of it'
    : `timestamp.json signs it up to entry ${signed}; the next publication signs the rest`
}
