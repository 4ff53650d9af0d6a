/** What an operator gives as a place: an http(s) URL, or else a path; and what he may have meant. */

import { isLocalName } from '../upstream/address-guard.ts'

export function isHttpUrl(location: string): boolean {
  const url = /^https?:\/\//.test(location) ? URL.parse(location) : null
  return url !== null && url.hostname !== ''
}

/** `Did you mean https://pypi.org/simple/ ?` for an address without its scheme; else `undefined`. */
export function suggestUrl(location: string): string | undefined {
  const [, host = '', port = '', path = ''] =
    /^([a-z0-9][a-z0-9.-]*|\[[0-9a-f:]+\])(:\d{1,5})?(\/[^?#]*)?$/i.exec(location) ?? []
  const isAddress = isLocalName(host) || /^(?:[\d.]+|\[.*\])$/.test(host)
  // `mirror/public` is a path that is not there; `pypi.org/simple` may be one, but rarely is.
  if (host === '' || !(isAddress || port !== '' || /\.[a-z]{2,}$/i.test(host))) return undefined
  const scheme = isAddress || (port !== '' && port !== ':443') ? 'http' : 'https'
  return `Did you mean ${scheme}://${host}${port}${path.replace(/\/*$/, '/')} ?`
}
