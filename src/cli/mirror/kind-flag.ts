/** `--kind`: names from a list; one that is not on it is an error with the nearest that is. */

import { toPrintable } from '../../base/bytes.ts'
import { ConfigError } from '../../base/errors.ts'
import { findNearest } from '../nearest.ts'

export function requireKinds<Kind extends string>(
  raws: readonly string[],
  known: readonly Kind[],
): Kind[] {
  return raws.map((raw) => requireKind(raw, known))
}

function requireKind<Kind extends string>(raw: string, known: readonly Kind[]): Kind {
  const kind = known.find((each) => each === raw)
  if (kind !== undefined) return kind
  const nearest = findNearest(raw, known)
  throw new ConfigError('CONFIG_INVALID', `"${toPrintable(raw)}" is not a kind of change.`, {
    expected: known.join(', '),
    ...(nearest !== undefined && { next: `Did you mean "${nearest}"?` }),
  })
}
