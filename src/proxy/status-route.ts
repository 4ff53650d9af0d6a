/** Which of the pages under `/-/` a path names: what the proxy tells about itself. */

import { isRequestId } from '../explain/find-request-ids.ts'

export type StatusRoute =
  | { readonly kind: 'health' }
  | { readonly kind: 'ready' }
  | { readonly kind: 'metrics' }
  | { readonly kind: 'overview' }
  | { readonly kind: 'refused'; readonly id: string }

/** @param segments of the path, each decoded once; the first is `-`. `undefined`: there is no such page. */
export function routeStatus([, name, ...rest]: readonly string[]): StatusRoute | undefined {
  if (name === 'refused') return routeRefused(rest)
  if (rest.length > 0) return undefined
  if (name === '') return { kind: 'overview' }
  return name === 'health' || name === 'ready' || name === 'metrics' ? { kind: name } : undefined
}

function routeRefused([id = '', ...rest]: readonly string[]): StatusRoute | undefined {
  return rest.length === 0 && isRequestId(id) ? { kind: 'refused', id } : undefined
}
