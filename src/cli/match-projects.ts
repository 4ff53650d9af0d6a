/** Which names an index of the settings takes. */

/** `*` stands for any letters; without patterns the index takes every name. */
export function matchProjects(
  patterns: readonly string[] | undefined,
): (project: string) => boolean {
  if (patterns === undefined) return () => true
  // The settings allow letters, digits, `-` and `*` in a pattern and nothing else.
  const expressions = patterns.map((pattern) => new RegExp(`^${pattern.replaceAll(/\*+/g, '.*')}$`))
  return (project) => expressions.some((expression) => expression.test(project))
}
