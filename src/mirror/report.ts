/** What a command of the mirror says while it works. It is shown by others; here it is a value. */

export type MirrorEvent =
  | { readonly kind: 'note'; readonly message: string }
  | { readonly kind: 'warning'; readonly message: string; readonly next?: string }
  | {
      readonly kind: 'progress'
      readonly done: number
      readonly total: number
      /** What is counted; projects, where it is not said. */
      readonly of?: 'files'
    }
  /** A file that is not what is signed of it. */
  | {
      readonly kind: 'differs'
      readonly project: string
      readonly file: string
      readonly aspect: 'sha256' | 'size' | 'metadata' | 'archive'
      readonly expected: string
      readonly found: string
    }
  /** A project that could not be looked at; the others go on. */
  | {
      readonly kind: 'failed'
      readonly project: string
      readonly code: string
      readonly message: string
    }
  /** A change that waits for a person. */
  | {
      readonly kind: 'held'
      readonly project?: string
      readonly message: string
      /** ms: when it was seen first; it is told at each look for as long as it waits. */
      readonly since?: number
      /** Of the record that waits. */
      readonly sha256?: string
    }
  | {
      readonly kind: 'left-out'
      readonly project: string
      readonly file: string
      readonly message: string
    }
  | {
      readonly kind: 'conflict'
      readonly project: string
      readonly file: string
      /** Where the signed one is spelled otherwise. */
      readonly signedAs?: string
      readonly expected: string
      readonly found: string
    }
  /** A line of a requirements file that names no project of an index. */
  | { readonly kind: 'not-covered'; readonly place: string; readonly line: string }

export type Report = (event: MirrorEvent) => void
