/**
 * A line that a pipeline prints and does not obey. GitHub and Azure read commands out of the output of
 * a step: `::name::` where a line begins, `##[name]` and `##vso[` anywhere; TeamCity `##teamcity[`.
 */

import { toPrintable } from '../base/bytes.ts'

/** @param line may begin with spaces: they do not keep a command from being one */
export function toInertLine(line: string, maxLength = 2000): string {
  return toPrintable(line, maxLength)
    .replace(/^(\s*):(?=:)/, '$1: ')
    .replaceAll(/#(?=#)/g, '# ')
}
