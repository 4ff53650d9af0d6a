/** What belongs to one project in the repository: its record, and its owner's role (PEP 480). */

/** Names that normalize alike give one role: `project` is normalized. */
export function ownerRole(project: string): string {
  return `owner-${project}`
}

export function isOwnerRole(role: string): boolean {
  return role.startsWith(ownerRole(''))
}

/** The target of a project's record. */
export function recordTarget(project: string): string {
  return `simple/${project}/index.json`
}

/** Its twin in HTML, where that is a target too. */
export function htmlTarget(project: string): string {
  return `simple/${project}/index.html`
}

/** A distribution, where files are targets of their own (PEP 458). */
export function fileTarget(project: string, filename: string): string {
  return `files/${project}/${filename}`
}

/** No letter of a normalized name means anything in a pattern (TUF 4.5). */
export function ownerPaths(project: string): readonly string[] {
  return [recordTarget(project), htmlTarget(project), fileTarget(project, '*')]
}
