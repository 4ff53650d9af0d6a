/** Where one proxy keeps what it must not forget. */

export interface StateDirectory {
  readonly path: string
  readonly metadata: string
  readonly vault: string
  readonly audit: string
  readonly floors: string
  /** The root file at this path had another content before: its digest, and the state folder of then. */
  readonly previous?: { readonly rootSha256: string; readonly path: string }
  /** Makes the present content of the root file the remembered one. */
  rememberRoot(): Promise<void>
}

/** `$XDG_STATE_HOME/tufgate`, or `~/.local/state/tufgate`. */
export function findStateHome(_environment: Readonly<Record<string, string | undefined>>): string {
  throw new Error('to come')
}

export async function openStateDirectory(
  _stateHome: string,
  _root: { readonly path: string; readonly sha256: string },
): Promise<StateDirectory> {
  throw new Error('to come')
}
