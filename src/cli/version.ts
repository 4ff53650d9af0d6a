/** The version of this program, from its package.json, in a checkout and in the package alike. */

import { readFileSync } from 'node:fs'

const manifest = JSON.parse(
  readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
) as { readonly version: string }

export const version = manifest.version

export const userAgent = `tufgate/${version} (signature-checking proxy for Python package indexes)`

/** RFC 9110 10.1.5: who asks, and whom to write to about it. */
export function buildUserAgent(role: string, contact?: string): string {
  return `tufgate/${version} (${[role, ...(contact === undefined ? [] : [contact])].join('; ')})`
}
