/** What a command of the mirror says while it works. It is shown by others; here it is a value. */

export type MirrorEvent =
  | { readonly kind: 'note'; readonly message: string }
  | { readonly kind: 'warning'; readonly message: string; readonly next?: string }
  | { readonly kind: 'progress'; readonly done: number; readonly total: number }
  /** A project that could not be looked at; the others go on. */
  | {
      readonly kind: 'failed'
      readonly project: string
      readonly code: string
      readonly message: string
    }
  /** A change that waits for a person. */
  | { readonly kind: 'held'; readonly project?: string; readonly message: string }
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
      readonly expected: string
      readonly found: string
    }
  /** A line of a requirements file that names no project of an index. */
  | { readonly kind: 'not-covered'; readonly place: string; readonly line: string }

export type Report = (event: MirrorEvent) => void
