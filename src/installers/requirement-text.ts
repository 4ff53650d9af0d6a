/**
 * One requirement as PEP 508 and pip write it: `name>=1`, `name @ URL ; marker`, a URL or a path. Only
 * what goes elsewhere than to an index is of interest here.
 */

import { referTo, type Place, type Reference } from './reference.ts'

/** `undefined` where the requirement is looked up in an index. */
export function findTarget(rawRequirement: string, place: Place): Reference | undefined {
  // One space is as good as many, and no expression below looks at a run of them twice.
  const text = rawRequirement.replaceAll(/\s+/g, ' ').trim()
  // PEP 508: a marker of a URL stands behind a space and a semicolon.
  const [, name, direct] = /^([\w.-]+)\s*(?:\[[^\]]*\])?\s*@\s*(\S.*?)(?:\s;.*)?$/s.exec(text) ?? []
  if (direct !== undefined && !isLogin(text)) {
    return referTo(direct, {
      ...place,
      name: place.name === '' ? (name ?? '') : `${name} in ${place.name}`,
    })
  }
  return isElsewhere(text) ? referTo(text.replace(/\s+;.*$|\s+--.*$/s, ''), place) : undefined
}

/** `git@example.org:name.git`: what stands before the `@` is no project. */
function isLogin(text: string): boolean {
  return /^[\w.-]+@[\w.-]+:(?!\/\/)/.test(text)
}

/** pip looks for a file by the same signs: a scheme, a slash, a dot in front, the ending of an archive. */
function isElsewhere(text: string): boolean {
  const [head = ''] = text.split(/\s+;|\s+--|\s*[<>=!~]=|;/, 1)
  if (/^[a-z][a-z0-9+.-]*:/i.test(head) || isLogin(text)) return true
  return /^[./~]|\//.test(head) || /\.(?:whl|zip|tar\.gz|tgz|tar\.bz2|tbz|tar\.xz|tar)$/i.test(head)
}
