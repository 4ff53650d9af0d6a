/**
 * Equal events within a minute: the first ten are written, the further ones become one line with
 * their number. So a client that asks in a loop cannot fill the disk or push other lines out.
 */

import type { AuditEvent } from './event.ts'
import { renderBody } from './line.ts'
import type { LineToWrite } from './chain-writer.ts'

const windowMs = 60_000
const writtenInWindow = 10
const maxWindows = 4096

interface Window {
  readonly start: number
  seen: number
  collapsed: number
  since: number
  last: AuditEvent
}

export class Repeats {
  /** In the order of their start. */
  readonly #windows = new Map<string, Window>()

  /** Whether the event stands behind a later line with a number. */
  isCollapsed(event: AuditEvent, time: number): boolean {
    const window = this.#enter(event, time)
    window.seen += 1
    return window.seen > writtenInWindow
  }

  collapse(event: AuditEvent, time: number): void {
    const window = this.#enter(event, time)
    if (window.collapsed === 0) window.since = time
    window.collapsed += 1
    window.last = event
  }

  takeAll(time: number): LineToWrite[] {
    const lines = [...this.#windows.values()].flatMap((window) => renderCount(window, time))
    this.#windows.clear()
    return lines
  }

  /** The lines of the windows that have ended. */
  takeEnded(time: number): LineToWrite[] {
    const lines: LineToWrite[] = []
    for (const [key, window] of this.#windows) {
      const age = time - window.start
      // A clock that was set back ends them too: their minute would last until it has caught up.
      const isEnded = age >= windowMs || age < 0 || this.#windows.size > maxWindows
      if (!isEnded) break
      this.#windows.delete(key)
      lines.push(...renderCount(window, time))
    }
    return lines
  }

  #enter(event: AuditEvent, time: number): Window {
    const key = keyOf(event)
    const known = this.#windows.get(key)
    if (known !== undefined) return known
    const window = { start: time, seen: 0, collapsed: 0, since: time, last: event }
    this.#windows.set(key, window)
    return window
  }
}

function keyOf({ kind, code, project, file, client }: AuditEvent): string {
  return JSON.stringify([kind, code, project?.slice(0, 256), file?.slice(0, 512), client])
}

function renderCount({ collapsed, since, last }: Window, time: number): LineToWrite[] {
  if (collapsed === 0) return []
  const { kind, code, project, file, client, message } = last
  const event = {
    kind,
    ...(code !== undefined && { code }),
    ...(project !== undefined && { project }),
    ...(file !== undefined && { file }),
    ...(client !== undefined && { client }),
    ...(message !== undefined && { message }),
  }
  const body = renderBody(event, { count: collapsed, since: new Date(since).toISOString() })
  return [{ time, body, events: collapsed }]
}
