/** The page `/-/` for a program: the same values, times as ISO 8601. */

import { formatUtcSeconds } from '../base/clock.ts'
import type { IndexState } from './proxy-state.ts'
import type { RecentEvent } from './recent-events.ts'
import type { Overview } from './status-overview.ts'
import type { AnswerKind } from './traffic.ts'

export function describeOverview({ state, readiness, traffic, now }: Overview): object {
  const { version, startedAt, indexes, vault, audit } = state
  const { recent, answers, refused, hidden, auditFailures } = traffic
  return {
    version,
    now: formatUtcSeconds(now),
    startedAt: formatUtcSeconds(startedAt),
    ready: readiness.ready,
    checks: readiness.checks,
    indexes: indexes.map(describeIndex),
    refused: recent.decided.map(describeRecent),
    failed: recent.failed.map(describeRecent),
    counts: {
      answers: Object.fromEntries(Array.from(answers, describeAnswers)),
      refused: Object.fromEntries(refused),
      hidden: Object.fromEntries(hidden),
      auditFailures,
    },
    vault,
    audit,
  }
}

function describeIndex({ name, url, trustKind, roles, indexSeenAt }: IndexState): object {
  return {
    name,
    url,
    trust: trustKind,
    roles: roles.map((one) => ({ ...one, expires: formatUtcSeconds(one.expires) })),
    ...(indexSeenAt !== undefined && { indexSeenAt: formatUtcSeconds(indexSeenAt) }),
  }
}

function describeRecent({ event, times }: RecentEvent): object {
  const { client: _client, time, ...rest } = event
  return { ...rest, time: formatUtcSeconds(time), times }
}

function describeAnswers([kind, { count, bytes }]: readonly [
  AnswerKind,
  { readonly count: number; readonly bytes: number },
]): [string, object] {
  return [kind, { count, bytes }]
}
