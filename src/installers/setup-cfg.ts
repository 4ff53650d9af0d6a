/** setup.cfg: requirements with addresses of their own, and setuptools' old find_links and index_url. */

import type { Place, Reference } from './reference.ts'
import { findTarget } from './requirement-text.ts'

const requirementKeys: ReadonlySet<string> = new Set([
  'install_requires',
  'setup_requires',
  'tests_require',
])

const sourceKeys: ReadonlyMap<string, Reference['kind']> = new Map([
  ['index_url', 'index'],
  ['find_links', 'find-links'],
  ['dependency_links', 'find-links'],
])

export function readSetupCfg(text: string): Reference[] {
  const references: Reference[] = []
  let section = ''
  let key = ''
  for (const [at, raw] of text.split(/\r?\n/).entries()) {
    const [, header] = /^\[([^\]]+)\]/.exec(raw) ?? []
    const [, name, rest = ''] = /^([A-Za-z_][\w.-]*)\s*[=:]\s*(.*)$/.exec(raw) ?? []
    if (header !== undefined) [section, key] = [header, '']
    else if (/^\s*[#;]/.test(raw)) continue
    else if (name !== undefined) key = name.toLowerCase()
    else if (!/^\s/.test(raw)) key = ''
    const value = (name === undefined ? raw : rest).trim()
    if (header !== undefined || value === '' || key === '') continue
    references.push(...readValue({ section, key, value }, at + 1))
  }
  return references
}

interface Setting {
  readonly section: string
  readonly key: string
  readonly value: string
}

function readValue({ section, key, value }: Setting, line: number): Reference[] {
  const place: Place = { installer: 'pip', line, name: `${key} in [${section}]` }
  const kind = sourceKeys.get(key.replaceAll('-', '_'))
  if (kind !== undefined) {
    return value.split(/\s+/).map((one) => ({ kind, value: one, ...place }))
  }
  if (section !== 'options.extras_require' && !requirementKeys.has(key)) return []
  const found = findTarget(value, place)
  return found === undefined ? [] : [found]
}
