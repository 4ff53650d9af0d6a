/**
 * `--index` beside a settings file that says of another index what to check it by. A mirror has not signed
 * what a server of another name has, and a password is for nobody else: neither is taken over.
 */

import { toPrintable } from '../base/bytes.ts'
import { ConfigError } from '../base/errors.ts'

/** Settings of an index that hold for it alone. */
const bound = ['mirror', 'root', 'floor', 'pins', 'credentials'] as const

export type BoundFlags = Readonly<Partial<Record<(typeof bound)[number], unknown>>>

/** @param first the first `[[index]]` of the file, as it was read */
export function requireSameIndex(
  { index, ...flags }: BoundFlags & { readonly index?: string },
  first: object | undefined,
  source: string,
): void {
  const [own, other] = [
    findHost(first === undefined ? '' : Reflect.get(first, 'url')),
    findHost(index),
  ]
  if (first === undefined || own === undefined || other === undefined || own === other) return
  const kept = bound.filter(
    (key) => flags[key] === undefined && Reflect.get(first, key) !== undefined,
  )
  if (kept.length === 0) return
  throw new ConfigError(
    'CONFIG_INVALID',
    `--index names ${other}, but ${kept.join(', ')} in ${toPrintable(source, 500)} are for ${own}.`,
    {
      next: 'Leave that file out with --config /dev/null, and give the --mirror and --root of this index, if it has a mirror; or write it an [[index]] in a settings file of its own.',
    },
  )
}

/** With its port: a path may be another way into the same index. */
function findHost(url: unknown): string | undefined {
  const host = typeof url === 'string' ? URL.parse(url)?.host : undefined
  return host === '' ? undefined : host
}
