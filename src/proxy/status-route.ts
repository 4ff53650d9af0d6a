/** Which of the pages under `/-/` a path names: what the proxy tells about itself. */

export type StatusRoute = { readonly kind: 'health' } | { readonly kind: 'ready' }

/** @param segments of the path, each decoded once; the first is `-`. `undefined`: there is no such page. */
export function routeStatus([, name, ...rest]: readonly string[]): StatusRoute | undefined {
  if (rest.length > 0) return undefined
  return name === 'health' || name === 'ready' ? { kind: name } : undefined
}
