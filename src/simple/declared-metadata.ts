/**
 * What a METADATA file declares that an index repeats in its JSON: summary and requirements (core metadata
 * specification, as a message of RFC 822). What another reader could take for something else is refused.
 */

import { decodeUtf8, type Bytes } from '../base/bytes.ts'
import { DecodeError } from '../base/decode.ts'
import { normalizeName } from './names.ts'
import { comparableVersion } from './version-key.ts'

/** That of a large project has some hundred kB, most of it the description. */
export const maxDeclaredBytes = 4 * 1024 ** 2
/** An honest one has under a hundred. */
const maxRequirements = 5000

export interface DeclaredMetadata {
  readonly summary?: string
  /** `Requires-Dist`, as written; empty: it needs nothing. */
  readonly requirements: readonly string[]
}

const singles = ['metadata-version', 'name', 'version', 'summary']

/** `project` is normalized. Throws DecodeError. */
export function parseDeclaredMetadata(
  bytes: Bytes,
  project: string,
  version: string,
): DeclaredMetadata {
  const fields = readFields(decodeText(bytes))
  for (const name of singles) {
    if ((fields.get(name)?.length ?? 0) > 1) throw new DecodeError(`it has two ${name}`)
  }
  if (normalizeName(fields.get('name')?.[0] ?? '') !== project) {
    throw new DecodeError('it is of another project')
  }
  if (comparableVersion(fields.get('version')?.[0] ?? '') !== comparableVersion(version)) {
    throw new DecodeError('it is of another version')
  }
  const requirements = fields.get('requires-dist') ?? []
  if (requirements.length > maxRequirements) throw new DecodeError('it has too many requirements')
  const summary = fields.get('summary')?.[0]
  return { requirements, ...(summary !== undefined && { summary }) }
}

/** Whether whoever reads one of them knows what all of them demand; the order says nothing. */
export function isSameDemand(left: DeclaredMetadata, right: DeclaredMetadata): boolean {
  const [ours, theirs] = [left, right].map(({ requirements }) => requirements.toSorted())
  return JSON.stringify(ours) === JSON.stringify(theirs)
}

const readNames = new Set([...singles, 'requires-dist'])

/** Of the fields that are read here; by name in lower case. */
function readFields(text: string): ReadonlyMap<string, readonly string[]> {
  const fields = new Map<string, string[]>()
  let last = ''
  // Python ends a line at a single CR too.
  for (const line of text.split(/\r\n|\r|\n/)) {
    if (line === '') return fields
    if (/^[\t ]/.test(line)) {
      if (last === '' || readNames.has(last)) throw new DecodeError('it has a folded field')
      continue
    }
    const [, name = '', value = ''] = /^([!-9;-~]+):(.*)$/s.exec(line) ?? []
    if (name === '') throw new DecodeError('it has a line that is no field')
    last = name.toLowerCase()
    if (!readNames.has(last)) continue
    const values = fields.get(last)
    if (values === undefined) fields.set(last, [value.trim()])
    else values.push(value.trim())
  }
  return fields
}

function decodeText(bytes: Bytes): string {
  if (bytes.length > maxDeclaredBytes) throw new DecodeError(`it has ${bytes.length} bytes`)
  try {
    return decodeUtf8(bytes)
  } catch {
    // The TypeError says only that, and with more words.
    throw new DecodeError('it is not UTF-8')
  }
}
