/**
 * Equal events within a minute: the first ten are written, the further ones become one line with
 * their number; so do refusals of names that a client thinks up, beyond a thousand. So a client that
 * asks in a loop cannot fill the disk or push other lines out.
 */

import { type AuditEvent, passedUnverified } from './event.ts'
import { renderBody } from './line.ts'
import type { LineToWrite } from './chain-writer.ts'

const windowMs = 60_000
const writtenInWindow = 10
const inventedInWindow = 1000
const maxWindows = 4096
/** So many of those that were not written can be found by their request id. */
const maxIds = 64

interface Window {
  readonly start: number
  seen: number
  collapsed: number
  /** Of all that were collapsed. */
  bytes: number
  since: number
  last: AuditEvent
  readonly ids: string[]
}

type Windows = Map<string, Window>

export class Repeats {
  /** In the order of their start. */
  readonly #windows: Windows = new Map()
  /** By client and code, whatever the name. Apart, so that many names do not push their number out. */
  readonly #inventions: Windows = new Map()

  /** Whether the event stands behind a later line with a number. */
  isCollapsed(event: AuditEvent, time: number): boolean {
    const invention = this.#findInvention(event, time)
    if (invention !== undefined) {
      invention.seen += 1
      if (invention.seen > inventedInWindow) return true
    }
    const window = enter(this.#windows, event, time)
    window.seen += 1
    return window.seen > writtenInWindow
  }

  collapse(event: AuditEvent, time: number): void {
    const invention = this.#findInvention(event, time)
    const isOneOfMany = invention !== undefined && invention.seen > inventedInWindow
    const window = isOneOfMany ? invention : enter(this.#windows, event, time)
    if (window.collapsed === 0) window.since = time
    window.collapsed += 1
    window.bytes += event.bytes ?? 0
    if (event.id !== undefined && window.ids.length < maxIds) window.ids.push(event.id.slice(0, 64))
    window.last = isOneOfMany ? withoutNames(event) : event
  }

  takeAll(time: number): LineToWrite[] {
    return this.#all().flatMap((windows) => {
      const lines = [...windows.values()].flatMap((window) => renderCount(window, time))
      windows.clear()
      return lines
    })
  }

  /** The lines of the windows that have ended. */
  takeEnded(time: number): LineToWrite[] {
    return this.#all().flatMap((windows) => takeEnded(windows, time))
  }

  #all(): Windows[] {
    return [this.#windows, this.#inventions]
  }

  #findInvention(event: AuditEvent, time: number): Window | undefined {
    return isInvented(event) ? enter(this.#inventions, withoutNames(event), time) : undefined
  }
}

function enter(windows: Windows, event: AuditEvent, time: number): Window {
  const key = keyOf(event)
  const known = windows.get(key)
  if (known !== undefined) return known
  const window = { start: time, seen: 0, collapsed: 0, bytes: 0, since: time, last: event, ids: [] }
  windows.set(key, window)
  return window
}

function takeEnded(windows: Windows, time: number): LineToWrite[] {
  const lines: LineToWrite[] = []
  for (const [key, window] of windows) {
    const age = time - window.start
    // A clock that was set back ends them too: their minute would last until it has caught up.
    const isEnded = age >= windowMs || age < 0 || windows.size > maxWindows
    if (!isEnded) break
    windows.delete(key)
    lines.push(...renderCount(window, time))
  }
  return lines
}

/** A name that need not stand in any signed record: there is no end to such names. */
function isInvented({ kind, code, project, file }: AuditEvent): boolean {
  if (kind !== 'refused' || project === undefined) return false
  return file === undefined || code === 'NOT_FOUND'
}

function withoutNames(event: AuditEvent): AuditEvent {
  const { project: _project, file: _file, ...rest } = event
  return rest
}

function keyOf({ kind, code, project, file, client, found }: AuditEvent): string {
  // Of what is only let pass the server is all that there is to tell.
  const server = code === passedUnverified ? found?.slice(0, 256) : undefined
  return JSON.stringify([kind, code, project?.slice(0, 256), file?.slice(0, 512), client, server])
}

function renderCount({ collapsed, bytes, since, last, ids }: Window, time: number): LineToWrite[] {
  if (collapsed === 0) return []
  const { kind, code, project, file, client, found, message, next, trust } = last
  const isPassed = code === passedUnverified
  const event = {
    kind,
    ...(code !== undefined && { code }),
    ...(project !== undefined && { project }),
    ...(file !== undefined && { file }),
    ...(client !== undefined && { client }),
    ...(isPassed && found !== undefined && { found }),
    // That of a passage tells of this one alone.
    ...(!isPassed && message !== undefined && { message }),
    ...(next !== undefined && { next }),
    ...(trust !== undefined && { trust }),
    ...(bytes > 0 && { bytes }),
  }
  const extras = {
    count: collapsed,
    since: new Date(since).toISOString(),
    ...(ids.length > 0 && { ids }),
  }
  const body = renderBody(event, extras)
  return [{ time, body, events: collapsed }]
}
