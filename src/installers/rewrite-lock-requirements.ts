/**
 * The addresses in a requirements file (pip, `--format requirements.txt` of others): of indexes behind
 * their options, of files behind `name @`, or alone. Comments are left alone.
 */

import { isProjectName, normalizeName } from '../simple/names.ts'
import type { Place } from './lock-edit.ts'

const address = /https?:\/\/[^\s"'\\]+/g
const indexOption = /(?:^|\s)(?:-i|--index-url|--extra-index-url)(?:\s*=\s*|\s+)["']?$/
const nameBefore = /(?:^|\s)([A-Za-z0-9][A-Za-z0-9._-]*)(?:\s*\[[^\]]*\])?\s*@\s*$/
/** So much before an address is looked at: a line may be as long as the file, and full of addresses. */
const maxBeforeLength = 400

export function* scanRequirementAddresses(text: string): Generator<Place> {
  let at = 0
  for (const line of text.split('\n')) {
    // pip: a comment begins at the start of the line, or behind a space.
    const comment = line.search(/(?:^|\s)#/)
    const code = comment < 0 ? line : line.slice(0, comment)
    for (const match of code.matchAll(address)) {
      const start = at + match.index
      const place = { start, end: start + match[0].length }
      const before = code.slice(Math.max(0, match.index - maxBeforeLength), match.index)
      if (before.endsWith('+')) continue
      if (indexOption.test(before)) yield { ...place, kind: 'index', project: undefined }
      else yield { ...place, kind: 'file', project: readName(before) }
    }
    at += line.length + 1
  }
}

function readName(before: string): string | undefined {
  const [, name = ''] = nameBefore.exec(before) ?? []
  return isProjectName(name) ? normalizeName(name) : undefined
}
