/** The name of a project on the command line, normalized. */

import { toPrintable } from '../base/bytes.ts'
import { ConfigError } from '../base/errors.ts'
import { isProjectName, normalizeName } from '../simple/names.ts'

export function requireProject(raw: string): string {
  if (isProjectName(raw)) return normalizeName(raw)
  throw new ConfigError('CONFIG_INVALID', `"${toPrintable(raw)}" is not the name of a project.`, {
    expected: 'letters, digits, and -_. between them',
    next: 'Name the project as on the index, without a version.',
  })
}
