/** The name of a project on the command line, normalized, and a doubt where the mirror never had it. */

import { toPrintable } from '../base/bytes.ts'
import { ConfigError } from '../base/errors.ts'
import { isProjectName, normalizeName } from '../simple/names.ts'
import { warn } from './terminal.ts'

export function requireProject(raw: string): string {
  if (isProjectName(raw)) return normalizeName(raw)
  throw new ConfigError('CONFIG_INVALID', `"${toPrintable(raw)}" is not the name of a project.`, {
    expected: 'letters, digits, and -_. between them',
    next: 'Name the project as on the index, without a version.',
  })
}

/** A name that is typed wrongly withdraws nothing, and is claimed by nobody. */
export function warnOfUnknown(project: string, directory: string): void {
  warn(
    `nothing of ${project} was ever signed here. Is the name right?\n  What is signed is listed by: tufgate mirror status ${directory} --projects`,
  )
}
