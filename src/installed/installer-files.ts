/**
 * What an installer adds to a distribution's own folder: who installed it, on whose wish, from where, and
 * RECORD (PEP 376, 610, 627). No program runs them, but RECORD says what an uninstallation removes.
 */

import type { Comparison } from './compare-wheel.ts'
import type { Distribution } from './distribution.ts'
import type { Finding } from './findings.ts'
import { findSource } from './byte-code.ts'
import { join } from './layout.ts'

export const installerFiles: readonly string[] = [
  'RECORD',
  'INSTALLER',
  'REQUESTED',
  'direct_url.json',
  'RECORD.jws',
  'RECORD.p7s',
]

const maxRecordBytes = 64 * 1024 ** 2
/** Nobody writes more into the others. */
const maxNoteBytes = 64 * 1024

export async function checkInstallerFiles(
  distribution: Distribution,
  comparison: Comparison,
  own: Set<string>,
): Promise<void> {
  const { findings, disk } = comparison
  const about = { distribution: `${distribution.name} ${distribution.version}` }
  const names = installerFiles.map((name) => join(distribution.folder, name))
  const [record = ''] = names
  for (const path of names) own.add(path)
  for (const path of names) {
    const found = disk.files.get(path)
    if (found === undefined) {
      if (path === record) findings.add({ ...about, path, class: 'missing' })
      continue
    }
    const isTooLong = found.size > (path === record ? maxRecordBytes : maxNoteBytes)
    if (found.kind !== 'file' || isTooLong) {
      const reason = isTooLong ? `${found.size} bytes` : 'it is no file'
      findings.add({ ...about, path, class: 'changed', reason })
    } else if (path !== record) findings.add({ ...about, path, class: 'generated' })
    else
      findings.add({ ...about, path, ...(await checkRecord(path, distribution, comparison, own)) })
  }
}

/** Each line must name a file of this distribution: pip removes what stands in it. */
async function checkRecord(
  path: string,
  { folder, site, name, version }: Distribution,
  { disk, layout, findings }: Comparison,
  own: ReadonlySet<string>,
): Promise<Pick<Finding, 'class' | 'reason'>> {
  const bytes = await disk.read(path, maxRecordBytes)
  if (bytes === undefined) return { class: 'unreadable' }
  // poetry removes direct_url.json, which RECORD goes on to list.
  const notes = new Set(installerFiles.map((file) => join(folder, file)))
  const lines = listRecordPaths(Buffer.from(bytes).toString('utf8'))
  for (const raw of lines) {
    const listed = resolvePath(site, raw)
    // With --target pip writes scripts as if the folder were an environment of its own.
    if (listed === undefined && layout.kind === 'folder' && raw.startsWith('../')) continue
    const source = listed === undefined ? undefined : findSource(listed)
    const isOwn = listed !== undefined && (own.has(listed) || own.has(source ?? ''))
    if (!isOwn) return { class: 'changed', reason: `it lists ${raw}, which is not of this wheel` }
    if (source !== undefined || disk.files.has(listed) || notes.has(listed)) continue
    findings.add({ path: listed, class: 'missing', distribution: `${name} ${version}` })
  }
  return { class: 'generated' }
}

/** The first field of each line (PEP 376: CSV). */
export function listRecordPaths(text: string): string[] {
  return text
    .split(/\r?\n/)
    .filter((line) => line !== '')
    .map((line) => {
      const [, quoted] = /^"((?:[^"]|"")*)"(?:,|$)/.exec(line) ?? []
      return quoted === undefined ? (line.split(',', 1)[0] ?? '') : quoted.replaceAll('""', '"')
    })
}

/** Relative to the root; `undefined` where it leads out of it. */
export function resolvePath(site: string, raw: string): string | undefined {
  if (raw.startsWith('/') || raw.length > 4096) return undefined
  const segments = site === '' ? [] : site.split('/')
  for (const segment of raw.split('/')) {
    if (segment === '..') {
      if (segments.pop() === undefined) return undefined
    } else if (segment !== '.' && segment !== '') segments.push(segment)
  }
  return segments.join('/')
}
