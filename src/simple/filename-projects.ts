/**
 * Whose file a name may be. A wheel names its project; an older sdist does not: `a-b-1.0.tar.gz` may be
 * version 1.0 of `a-b`, and who else claims the name is for the records to say.
 */

import { parseFilename } from './filename.ts'
import { isProjectName, normalizeName } from './names.ts'
import { isFilename } from './read-text.ts'

/** More readings than an honest name has. */
export const maxProjects = 8
/** Each reading goes through the whole name. */
const maxFilenameLength = 512

/** Normalized names, the longest first; none where it is not the name of a distribution. */
export function findProjectsOf(filename: string, limit = maxProjects): readonly string[] {
  if (filename.length > maxFilenameLength || !isFilename(filename)) return []
  const found = new Set<string>()
  for (let at = filename.length - 1; at > 0 && found.size < limit; at -= 1) {
    if (filename[at] !== '-' && filename[at] !== '_') continue
    const raw = filename.slice(0, at)
    if (!isProjectName(raw)) continue
    const project = normalizeName(raw)
    const { belongs, kind } = parseFilename(filename, project)
    if (belongs && kind !== 'other') found.add(project)
  }
  return [...found]
}
