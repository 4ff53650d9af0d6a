/** `tufgate serve`: starts the proxy, says where it is, and stops it when asked. */

import { toPrintable } from '../../base/bytes.ts'
import { formatSpan } from '../../base/clock.ts'
import type { Authority } from '../../ca/authority.ts'
import { createLog } from '../logger.ts'
import { describeCounts } from './notary-news.ts'
import type { OpenIndex } from './open-index.ts'
import type { OpenedNotary } from './open-notary.ts'
import { readSettings } from '../read-settings.ts'
import { describeFirstContact, formatTrust } from './repository-events.ts'
import { startProxy, type RunningProxy } from './serve.ts'
import type { SettingsOverrides } from '../settings.ts'
import { say } from '../terminal.ts'
import { version } from '../version.ts'
import { waitForSignal } from '../wait-for-signal.ts'

export interface ServeFlags extends SettingsOverrides {
  readonly config?: string
}

export async function runServe(flags: ServeFlags): Promise<number> {
  const { config, ...overrides } = flags
  const settings = readSettings(config, overrides)
  const log = createLog(settings['log-level'], Date.now)
  const proxy = await startProxy({ settings, log, clock: Date.now, environment: process.env })
  // Before anybody is told that it runs, and may stop it.
  const signalled = waitForSignal()
  announce(proxy)
  say(`  pip install --index-url ${proxy.origins[0] ?? ''}/simple/ PACKAGE`)
  say(`  what is refused, and why: ${proxy.origins[0] ?? ''}/-/ or tufgate explain ID`)
  const signal = await signalled
  log('info', `${signal}: stopping; requests under way have 10 s to end`)
  const started = Date.now()
  const head = await proxy.stop()
  for (const { name, opened } of proxy.indexes) {
    const counts = opened && describeCounts(opened.firstUse.counts)
    if (counts !== undefined) say(`index ${name}: ${counts}`)
  }
  say(`stopped after ${formatSpan(Date.now() - started)}`)
  say(`audit log head ${head}`)
  return 0
}

export function announce({ origins, indexes, authority, stateFolder }: RunningProxy): void {
  say(`tufgate ${version}`)
  for (const index of indexes) {
    say(`  index ${index.name}: ${index.url}`)
    if (index.opened === undefined) announceMirrored(index)
    else announceFirstUse(index.opened)
    const { pins } = index.policy
    if (pins !== undefined) say(`    only what ${pins.source} names: ${pins.count} files`)
  }
  if (authority !== undefined) announceInterception(authority)
  say(`  state ${stateFolder}`)
  for (const origin of origins) say(`listening on ${origin}`)
}

function announceInterception({ hosts }: Authority): void {
  say(`  interception: TLS to ${hosts.map(({ name }) => name).join(', ')} is ended here`)
  say('    tell installers of the local authority: tufgate ca export --bundle -o FILE')
}

function announceMirrored({ rootSha256, repository, contact, floor }: OpenIndex): void {
  say(`    pinned root sha256 ${rootSha256}`)
  say(`    trusted on disk: ${formatTrust(repository.trust)}`)
  if (floor !== undefined) say(`    no list older than that of ${toPrintable(floor, 500)}`)
  const firstContact = describeFirstContact(contact)
  if (firstContact !== undefined) say(`    ${firstContact}`)
}

function announceFirstUse({ notary, place }: OpenedNotary): void {
  const count = notary.countProjects()
  const seen = count === 1 ? '1 project' : `${count} projects`
  say('    trust on first use: nobody vouches for what is seen for the first time')
  say(`    ${seen} seen before, kept in ${place.path}`)
}
