/** `name` and `name==1.2`: what the operator never wants to have. */

export interface DenyRule {
  /** Normalized. */
  readonly project: string
  /** PEP 440 key; absent: every version. */
  readonly versionKey?: string
  /** As the operator wrote it. */
  readonly text: string
}

/** Throws ConfigError CONFIG_INVALID. */
export function parseDenyRule(raw: string): DenyRule {
  throw new Error(`not built: ${raw}`)
}
