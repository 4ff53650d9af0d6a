/** Where a report puts a refusal: it is in no file of the checkout, and such reports demand a place. */

import { encodeUtf8, toPrintable } from '../base/bytes.ts'
import { sha256Hex } from '../base/digest.ts'
import type { RefusedItem } from './session-summary.ts'

const maxLength = 500

/** A relative reference of RFC 3986: `simple/demo/demo-1.0.whl`. */
export function renderArtifactPath({ project, file, request }: RefusedItem): string {
  const segments =
    project === ''
      ? ['request', request ?? 'unknown']
      : ['simple', project, ...(file ? [file] : [])]
  return segments.map(encodeSegment).join('/')
}

/** The same for the same refusal in each session, so that it can be told from a new one. */
export function fingerprint({ code, project, file = '', request = '' }: RefusedItem): string {
  return sha256Hex(encodeUtf8(JSON.stringify([code, project, file, request])))
}

/** Neither a path upwards nor an empty step. */
function encodeSegment(raw: string): string {
  const encoded = encodeURIComponent(toPrintable(raw, maxLength))
  return /^\.*$/.test(encoded) ? '_' : encoded
}
