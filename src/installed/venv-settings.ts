/**
 * `pyvenv.cfg` (PEP 405): where the Python of the environment is, and whether packages outside of it count.
 * Two parts of Python read it, each in its own way: what they could read differently is a fault.
 */

import type { Disk } from './disk.ts'
import type { Finding } from './findings.ts'

export interface VenvSettings {
  readonly home?: string
  /** Why more may run in the environment than what is in it. */
  readonly fault?: Pick<Finding, 'class' | 'reason'>
}

export const venvSettingsPath = 'pyvenv.cfg'
const maxSettingsBytes = 65_536

export async function readVenvSettings(disk: Disk): Promise<VenvSettings> {
  const file = disk.files.get(venvSettingsPath)
  if (file?.kind !== 'file') return refuse('it is no file')
  if (file.size > maxSettingsBytes) return refuse(`${file.size} bytes`)
  const bytes = await disk.read(venvSettingsPath, maxSettingsBytes)
  if (bytes === undefined) return { fault: { class: 'unreadable' } }
  return parseVenvSettings(Buffer.from(bytes).toString('utf8'))
}

export function parseVenvSettings(text: string): VenvSettings {
  // What Python takes for a space or the end of a line, others may not.
  if (/[^\P{C}\t\r\n]/u.test(text)) return refuse('there are control characters in it')
  const lines = text.split(/\r\n|[\r\n]/).map(splitLine)
  const homes = lines.filter(({ key }) => key === 'home')
  // The library of Python goes by the first, the packages go by the last.
  if (homes.length > 1) return refuse('it names home twice')
  const home = withoutSlashes(homes[0]?.value)
  if (home?.startsWith('/') !== true)
    return refuse('it names no home, so that Python does not take it for an environment')
  const isOpen = lines.some(
    ({ key, value }) => key === 'include-system-site-packages' && value.toLowerCase() === 'true',
  )
  if (!isOpen) return { home }
  return { home, ...refuse('packages of the system are used too, and were not looked at') }
}

/** Not by a pattern: one that looks at each of many slashes as the first of the last is quadratic. */
function withoutSlashes(path: string | undefined): string | undefined {
  let end = path?.length ?? 0
  while (end > 1 && path?.[end - 1] === '/') end -= 1
  return path?.slice(0, end)
}

function splitLine(line: string): { key: string; value: string } {
  const at = line.indexOf('=')
  if (at < 0) return { key: '', value: '' }
  return { key: line.slice(0, at).trim().toLowerCase(), value: line.slice(at + 1).trim() }
}

function refuse(reason: string): VenvSettings {
  return { fault: { class: 'unknown', reason } }
}
