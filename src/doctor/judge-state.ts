/** What tufgate keeps on this machine: who may read and write it, whether there is room, whether it is whole. */

import { formatSpan, formatUtcSeconds } from '../base/clock.ts'
import { quoteShell } from '../base/quote-shell.ts'
import type { Finding } from './finding.ts'
import { cachePlace, machinePlace, statePlace } from './places.ts'
import type { Installer } from '../installers/reference.ts'

export interface FileFacts {
  readonly path: string
  /** `key` and `credentials` are for their owner alone. */
  readonly use: 'state' | 'key' | 'credentials'
  readonly isFolder: boolean
  readonly mode: number
  readonly isOwn: boolean
}

export function judgeFile({ path, use, isFolder, mode, isOwn }: FileFacts): Finding[] {
  const place = use === 'state' ? statePlace : path
  const name = quoteShell(path)
  const wanted = isFolder ? '700' : '600'
  if (!isOwn) {
    return [
      {
        severity: 'problem',
        code: 'other-owner',
        place,
        what: `${path} belongs to another user`,
        why: 'Whoever it belongs to can change what tufgate trusts, or keep it from being read; the proxy does not start with it.',
        mend: `chown -R "$(id -u)" ${name}`,
      },
    ]
  }
  const isWritable = (mode & 0o022) !== 0
  if (!isWritable && (mode & 0o077) === 0) return []
  // A list that others can read gives nothing away; what is written by others does.
  if (!isWritable && use === 'state') return []
  return [
    {
      severity: 'problem',
      code: isWritable ? 'writable-by-others' : 'readable-by-others',
      place,
      what: `${path} can be ${isWritable ? 'written' : 'read'} by other users (mode ${(mode & 0o777).toString(8)})`,
      why: isWritable
        ? 'They can change what tufgate trusts and serves.'
        : `It holds a ${use === 'key' ? 'private key' : 'password'}, which whoever reads it has too.`,
      mend: `chmod ${wanted} ${name}${use === 'state' ? '' : ', and replace what it holds: others may have read it'}`,
    },
  ]
}

export interface DiskFacts {
  readonly path: string
  readonly freeBytes: number
}

const fewBytes = 1024 ** 3
const tooFewBytes = 100 * 1024 ** 2

export function judgeDisk({ path, freeBytes }: DiskFacts): Finding[] {
  if (freeBytes >= fewBytes) return []
  return [
    {
      severity: freeBytes < tooFewBytes ? 'problem' : 'warning',
      code: 'disk-full',
      place: statePlace,
      what: `${Math.floor(freeBytes / 1024 ** 2)} MiB are free where ${path} lies`,
      why: 'Each file is written there before it is handed out, and each answer into the audit log: on a full disk everything is refused.',
      mend: 'make room there, or set state-dir to a larger disk',
    },
  ]
}

export interface AuditFacts {
  readonly folder: string
  /** What is wrong with the end of the newest chain, in sentences. */
  readonly problems: readonly string[]
  readonly isWritable: boolean
}

export function judgeAudit({ folder, problems, isWritable }: AuditFacts): Finding[] {
  const log = quoteShell(folder)
  const broken = problems.map((problem) => ({
    severity: 'warning' as const,
    code: 'audit-broken',
    place: statePlace,
    what: `the audit log in ${folder}: ${problem}`,
    why: 'What was handed out and refused can no longer be proven from there on.',
    mend: `tufgate audit verify --log ${log}`,
  }))
  if (isWritable) return broken
  return [
    ...broken,
    {
      severity: 'problem',
      code: 'audit-not-writable',
      place: statePlace,
      what: `the audit log in ${folder} cannot be written`,
      why: 'What cannot be logged is refused: nothing is served.',
      mend: `chmod u+rwx ${log}`,
    },
  ]
}

export interface AuthorityFacts {
  readonly path: string
  /** ms */
  readonly expires: number
}

export function judgeAuthority({ path, expires }: AuthorityFacts, now: number): Finding[] {
  const leftMs = expires - now
  if (leftMs > 14 * 86_400_000) return []
  const when =
    leftMs <= 0 ? `expired ${formatSpan(-leftMs)} ago` : `expires in ${formatSpan(leftMs)}`
  return [
    {
      severity: leftMs <= 0 ? 'problem' : 'warning',
      code: leftMs <= 0 ? 'authority-expired' : 'authority-expires-soon',
      place: statePlace,
      what: `the local certificate authority ${when} (${formatUtcSeconds(expires)}): ${path}`,
      why: 'Installers that go through interception refuse every connection once it has expired.',
      mend: 'restart the proxy, which makes a new one, then give it to the installers again: tufgate ca export',
    },
  ]
}

export interface CacheFacts {
  readonly installer: Installer
  readonly path: string
  readonly clear: string
  /** Whether the installer can take files from there without asking the proxy, and when. */
  readonly use: 'now' | 'elsewhere'
}

export function judgeCache({ installer, path, clear, use }: CacheFacts): Finding {
  return {
    severity: use === 'now' ? 'warning' : 'note',
    code: 'old-cache',
    place: cachePlace,
    what: `${installer} has files from before in ${path}`,
    why:
      use === 'now'
        ? `${installer} installs from there without asking: what was fetched before the switch to tufgate was never checked.`
        : `${installer} looks there only when it is sent to the old addresses again (a lock file, another index, an HTTPS proxy): then it installs what was never checked.`,
    mend: clear,
  }
}

export interface PythonFacts {
  /** As the search path finds them, each with its prefix. */
  readonly pythons: readonly { readonly path: string; readonly prefix: string }[]
}

export function judgePythons({ pythons }: PythonFacts): Finding[] {
  const prefixes = new Set(pythons.map(({ prefix }) => prefix))
  if (prefixes.size < 2) return []
  return [
    {
      severity: 'note',
      code: 'several-pythons',
      place: machinePlace,
      what: `there are ${prefixes.size} Pythons: ${pythons.map(({ path }) => path).join(', ')}`,
      why: 'Each has a pip of its own, which may have settings of its own; those were looked at too.',
    },
  ]
}

/** Something that was to be looked at and was not. */
export function describeUnchecked(
  place: string,
  problem: string,
  {
    line = 0,
    mend = 'look into it yourself',
  }: { readonly line?: number; readonly mend?: string } = {},
): Finding {
  return {
    severity: 'warning',
    code: 'not-checked',
    place,
    ...(line > 0 && { line }),
    what: `this was not checked: ${problem}`,
    why: 'It may hold anything, a way past tufgate too.',
    mend,
  }
}

/** Of what the operating system does not let us read. */
export function describeUnreadable(place: string, problem: string): Finding {
  return describeUnchecked(place, problem, {
    mend: 'make it readable, then run tufgate doctor again',
  })
}
