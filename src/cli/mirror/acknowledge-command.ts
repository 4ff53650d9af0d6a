/** `tufgate mirror acknowledge`: somebody has looked into what the index shows otherwise than it is signed. */

import { ConfigError } from '../../base/errors.ts'
import { acknowledgeConflicts } from '../../mirror/conflicts.ts'
import { createMirrorContext } from './mirror-context.ts'
import { createReport } from './mirror-report.ts'
import { requireProject } from '../project-flag.ts'
import { say, sayJson } from '../terminal.ts'

export interface AcknowledgeFlags {
  readonly all?: boolean
  readonly json?: boolean
}

export async function runMirrorAcknowledge(
  directory: string,
  projects: readonly string[],
  flags: AcknowledgeFlags,
): Promise<number> {
  if (projects.length > 0 === (flags.all === true)) {
    throw new ConfigError('CONFIG_INVALID', 'Give either the names of projects or --all.', {
      next: `tufgate mirror health ${directory} says which projects are in conflict.`,
    })
  }
  const acknowledged = await acknowledgeConflicts({
    directory,
    ...createMirrorContext(createReport(flags).report),
    ...(projects.length > 0 && { projects: projects.map(requireProject) }),
  })
  if (flags.json === true) sayJson({ acknowledged })
  else say(describeAcknowledged(acknowledged))
  return 0
}

function describeAcknowledged(projects: readonly string[]): string {
  if (projects.length === 0) return 'No conflict is open.'
  const names = projects.length === 1 ? projects.join() : `${projects.length} projects`
  return `${names}: looked into; what is signed stays, and health says no more of it until the index shows something else`
}
