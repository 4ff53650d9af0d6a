/** What is there on disk, as the comparison needs it: paths in one folder, with `/`, links not followed. */

import type { Bytes } from '../base/bytes.ts'

export interface DiskFile {
  /** `other`: a device, a socket, a FIFO. */
  readonly kind: 'file' | 'link' | 'other' | 'unreadable'
  readonly size: number
  /** Whole seconds, as byte code has it. */
  readonly mtimeSeconds: number
  /** Of a link: what it says. */
  readonly target?: string
  /** Of a link: it ends within the folder. */
  readonly staysInside?: boolean
  /** Why it could not be read. */
  readonly problem?: string
}

export interface Disk {
  readonly files: ReadonlyMap<string, DiskFile>
  /** sha256; `undefined` where it cannot be read. */
  digest(path: string): Promise<string | undefined>
  /** The first bytes; `undefined` where it cannot be read. */
  read(path: string, maxBytes: number): Promise<Bytes | undefined>
}
