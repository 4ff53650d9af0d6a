/**
 * `name` and `name==1.2`: what the operator never wants to have. One version or all of them; ranges
 * are for requirement files, not for this.
 */

import { ConfigError } from '../base/errors.ts'
import { isProjectName, normalizeName } from '../simple/names.ts'
import { parseFilename } from '../simple/filename.ts'
import { publicKey, versionKey } from '../simple/version-key.ts'

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
  const text = raw.trim()
  const [rawName = '', rawVersion, ...more] = text.split('==')
  const name = rawName.trim()
  if (!isProjectName(name) || more.length > 0) throw invalid(text)
  const project = normalizeName(name)
  if (rawVersion === undefined) return { project, text }
  const key = versionKey(rawVersion.trim())
  if (key === undefined) throw invalid(text)
  return { project, versionKey: key, text }
}

function invalid(text: string): ConfigError {
  return new ConfigError('CONFIG_INVALID', `${JSON.stringify(text)} is no rule for deny`, {
    expected: '"name" or "name==1.2"',
    found: text,
    next: 'Write the name of a project, or name==version with one version (PEP 440)',
  })
}

/**
 * The first rule that denies the file. Without a local part in the rule that of the file does not
 * count (PEP 440); a file whose version nobody knows is denied with any version of its project.
 */
export function findDenyRule(
  rules: readonly DenyRule[],
  project: string,
  filename: string,
): DenyRule | undefined {
  const ours = rules.filter((rule) => rule.project === project)
  if (ours.length === 0) return undefined
  const { version } = parseFilename(filename, project)
  const key = version === undefined ? undefined : versionKey(version)
  return ours.find((rule) => isMatch(rule, key))
}

function isMatch(rule: DenyRule, key: string | undefined): boolean {
  if (rule.versionKey === undefined || key === undefined) return true
  return rule.versionKey === (rule.versionKey.includes('+') ? key : publicKey(key))
}
