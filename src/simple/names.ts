/** Project names: PEP 503 and PEP 508. ASCII only, the whole text. */

/** PEP 508 with `\Z`: letters and digits at both ends, `-_.` between. */
export function isProjectName(raw: string): boolean {
  return raw.length <= 256 && /^(?:[A-Za-z0-9]|[A-Za-z0-9][A-Za-z0-9._-]*[A-Za-z0-9])$/.test(raw)
}

/** PEP 503. */
export function normalizeName(name: string): string {
  return name.replaceAll(/[-_.]+/g, '-').toLowerCase()
}

export function isNormalizedName(raw: string): boolean {
  return isProjectName(raw) && normalizeName(raw) === raw
}
