/**
 * Byte code (PEP 3147, 552). Its header says of which source it is; what follows could be anything, and
 * Python runs it in place of the source. So a header that fits is all that is said here, never more.
 */

import type { Bytes } from '../base/bytes.ts'
import type { DiskFile } from './disk.ts'

export const headerBytes = 16

/** `a/__pycache__/b.cpython-311.opt-1.pyc` -> `a/b.py`; `undefined` for what is no byte code of a source. */
export function findSource(path: string): string | undefined {
  const [, folder = '', name] =
    /^(.*\/)?__pycache__\/([^/]+?)\.[a-z]+-?\d+\w*(?:\.opt-\w+)?\.pyc$/.exec(path) ?? []
  return name === undefined ? undefined : `${folder}${name}.py`
}

/** `undefined`: it fits. Otherwise what Python makes of it. */
export function findByteCodeFault(header: Bytes, source: DiskFile): string | undefined {
  if (header.length < headerBytes) return 'it is too short for byte code'
  const view = Buffer.from(header.buffer, header.byteOffset, header.byteLength)
  const flags = view.readUInt32LE(4)
  if (flags === 1) return 'byte code that Python runs without a look at its source (PEP 552)'
  if (flags === 3) return 'byte code that names a digest of its source, which is not computed here'
  if (flags !== 0) return 'byte code with unknown flags'
  const isSame =
    view.readUInt32LE(8) === source.mtimeSeconds >>> 0 &&
    view.readUInt32LE(12) === source.size >>> 0
  return isSame ? undefined : 'byte code of another source, by its header'
}
