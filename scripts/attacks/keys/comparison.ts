/** What was seen beside what `mirror audit-keys` says, as notes: a row is right where they agree. */

import type { Observed } from '../attack.ts'
import { require } from '../judge.ts'

const comparison = /^(.+): seen: (.+); audit-keys: (.+)$/

export function compare(what: string, seen: string, said: string): string {
  return `${what}: seen: ${seen}; audit-keys: ${said}`
}

/** Nothing compared is no agreement. */
export function requireAgreement({ notes }: Observed): readonly string[] {
  const compared = notes.map((note) => comparison.exec(note)).filter((found) => found !== null)
  return [
    ...require(compared.length > 0, 'nothing was compared with audit-keys'),
    ...compared.flatMap(([, what = '', seen = '', said = '']) =>
      require(seen === said, `${what}: ${seen}, but audit-keys says ${said}`),
    ),
  ]
}
