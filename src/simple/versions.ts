/** The `versions` of a page (PEP 700): every version of a file is in it; there may be more. */

import { parseFilename } from './filename.ts'
import type { ProjectFile } from './model.ts'
import { comparableVersion } from './version-key.ts'

/** The versions given, and behind them those of files that are missing, in the order of the files. */
export function completeVersions(
  versions: readonly string[],
  files: readonly ProjectFile[],
  project: string,
): readonly string[] {
  const complete = new Map(versions.map((version) => [comparableVersion(version), version]))
  for (const [key, version] of versionsOf(files, project)) {
    if (!complete.has(key)) complete.set(key, version)
  }
  return [...complete.values()]
}

/** Without the versions of which there were files, and none of them is shown. */
export function keepShownVersions(
  versions: readonly string[],
  files: { readonly all: readonly ProjectFile[]; readonly shown: readonly ProjectFile[] },
  project: string,
): readonly string[] {
  if (files.all.length === files.shown.length) return versions
  const all = versionsOf(files.all, project)
  const shown = versionsOf(files.shown, project)
  return versions.filter((version) => {
    const key = comparableVersion(version)
    return shown.has(key) || !all.has(key)
  })
}

function versionsOf(files: readonly ProjectFile[], project: string): ReadonlyMap<string, string> {
  const seen = new Set<string>()
  const found = new Map<string, string>()
  for (const { filename } of files) {
    const { version } = parseFilename(filename, project)
    // One look at each spelling: a release has dozens of files.
    if (version === undefined || seen.has(version)) continue
    const key = comparableVersion(version)
    seen.add(version)
    if (!found.has(key)) found.set(key, version)
  }
  return found
}
