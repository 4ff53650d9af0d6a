/** `DIR/health.json`: written whole after every round, read by `mirror health` and by supervisors. */

import { join } from 'node:path'
import { encodeUtf8 } from '../base/bytes.ts'
import { formatUtcSeconds } from '../base/clock.ts'
import {
  DecodeError,
  member,
  readBoolean,
  readInteger,
  readMember,
  readObject,
  readString,
} from '../base/decode.ts'
import { readUtcTime } from '../base/read-values.ts'
import { parseJson } from '../base/strict-json.ts'
import { writeFileAtomic } from '../store/atomic-file.ts'
import { readRegular } from '../store/regular-file.ts'
import { findErrno } from '../store/storage-error.ts'
import type { Health, WatchRecord } from './health.ts'
import type { JobRecord } from './job.ts'

const format = 1

function healthPath(directory: string): string {
  return join(directory, 'health.json')
}

/** Readable for whoever looks after the machine: it holds no secret. */
export async function writeHealth(directory: string, health: Health): Promise<void> {
  const text = `${JSON.stringify(renderHealth(health), undefined, 2)}\n`
  await writeFileAtomic(healthPath(directory), encodeUtf8(text), { mode: 0o644 })
}

export function renderHealth(health: Health): object {
  const { state, problems, roles, held, conflicts, indexSeenAt, watch } = health
  return {
    v: format,
    state,
    problems,
    held,
    conflicts,
    ...(indexSeenAt !== undefined && { indexSeenAt: formatUtcSeconds(indexSeenAt) }),
    roles: roles.map(({ role, version, expires, daysLeft, urgency }) => ({
      role,
      version,
      expires: formatUtcSeconds(expires),
      daysLeft,
      urgency,
    })),
    ...(watch !== undefined && { watch: renderWatch(watch) }),
  }
}

function renderWatch({ version, writtenAt, isStopped, running, sync, renew }: WatchRecord): object {
  return {
    version,
    writtenAt: formatUtcSeconds(writtenAt),
    isStopped,
    ...(running !== undefined && {
      running: { job: running.job, since: formatUtcSeconds(running.since) },
    }),
    sync: renderJob(sync),
    renew: renderJob(renew),
  }
}

function renderJob({ nextDue, failuresInARow, lastFailure, ...times }: JobRecord): object {
  const written = Object.entries(times).map(([name, time]) => [name, formatUtcSeconds(time)])
  return {
    ...(Object.fromEntries(written) as Record<string, string>),
    nextDue: formatUtcSeconds(nextDue),
    failuresInARow,
    ...(lastFailure !== undefined && { lastFailure }),
  }
}

/** `damaged`: somebody else wrote it, or another version of tufgate. */
export function readWatchRecord(directory: string): WatchRecord | 'damaged' | undefined {
  try {
    const file = readObject(parseJson(readRegular(healthPath(directory))))
    return readMember(file, 'v', (version) => readInteger(version, 1)) === format
      ? readMember(file, 'watch', readWatch)
      : 'damaged'
  } catch (error) {
    if (findErrno(error) === 'ENOENT') return undefined
    const isUnreadable = [DecodeError, SyntaxError, TypeError].some((kind) => error instanceof kind)
    if (isUnreadable) return 'damaged'
    throw error
  }
}

function readWatch(value: unknown): WatchRecord {
  const object = readObject(value)
  const running = member(object, 'running')
  return {
    version: readMember(object, 'version', readString),
    writtenAt: readMember(object, 'writtenAt', readUtcTime),
    isStopped: readMember(object, 'isStopped', readBoolean),
    ...(running !== undefined && { running: readRunning(running) }),
    sync: readMember(object, 'sync', readJob),
    renew: readMember(object, 'renew', readJob),
  }
}

function readRunning(value: unknown): { job: 'sync' | 'renew'; since: number } {
  const object = readObject(value)
  const job = readMember(object, 'job', readString)
  if (job !== 'sync' && job !== 'renew') throw new DecodeError('expected sync or renew', ['job'])
  return { job, since: readMember(object, 'since', readUtcTime) }
}

function readJob(value: unknown): JobRecord {
  const object = readObject(value)
  const times = (['lastAttempt', 'lastSuccess', 'busySince'] as const).flatMap((name) => {
    const time = member(object, name)
    return time === undefined ? [] : [[name, readUtcTime(time)] as const]
  })
  const lastFailure = member(object, 'lastFailure')
  return {
    ...Object.fromEntries(times),
    nextDue: readMember(object, 'nextDue', readUtcTime),
    failuresInARow: readMember(object, 'failuresInARow', (count) => readInteger(count, 0)),
    ...(lastFailure !== undefined && { lastFailure: readString(lastFailure) }),
  }
}
