/** Variables of the environment, as a shell or a pipeline reads them: whatever is in them stays a value. */

import { ConfigError } from '../../base/errors.ts'
import { quoteShell } from '../../base/quote-shell.ts'

export type VariableFormat = 'sh' | 'github' | 'gitlab' | 'powershell' | 'json'

export interface Variables {
  readonly set: Readonly<Record<string, string>>
  /** Where a format cannot take a variable away, it is set to nothing. */
  readonly unset: readonly string[]
}

/** @param createDelimiter of a here document: a word that no value holds */
export function renderVariables(
  format: VariableFormat,
  { set, unset }: Variables,
  createDelimiter: () => string,
): string {
  const taken = unset.filter((name) => isName(name) && !Object.hasOwn(set, name))
  const entries = Object.entries(set).filter(([name]) => isName(name))
  const all = [...taken.map((name): Entry => [name, '']), ...entries]
  if (format === 'json') return lines([JSON.stringify(Object.fromEntries(all))])
  if (format === 'gitlab') return lines(all.map(renderDotenv))
  if (format === 'github') return lines(all.map((entry) => renderGithub(entry, createDelimiter)))
  const isPowerShell = format === 'powershell'
  return lines([
    ...taken.map((name) =>
      isPowerShell ? `Remove-Item -ErrorAction Ignore Env:${name}` : `unset ${name}`,
    ),
    ...entries.map(([name, value]) =>
      isPowerShell
        ? `$env:${name} = ${quotePowerShell(value)}`
        : `export ${name}=${quoteShell(value)}`,
    ),
  ])
}

/**
 * After which each installer fails, in place of asking the index itself: what is printed where there is
 * no proxy, since `eval "$(...)"` goes on whatever the command in it says.
 */
export function renderClosed(format: VariableFormat, closed: Variables, reason: string): string {
  const variables = renderVariables(format, closed, () => '')
  if (format === 'sh') return `${variables}echo ${quoteShell(reason)} >&2\nfalse\n`
  if (format === 'powershell') return `${variables}throw ${quotePowerShell(reason)}\n`
  // Those are files, and the exit code ends the step that writes them.
  return ''
}

type Entry = readonly [name: string, value: string]

/** The environment may hold others, such as functions of bash. */
function isName(name: string): boolean {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(name)
}

/** The typographic quotes end a word of PowerShell too. */
function quotePowerShell(value: string): string {
  return `'${value.replaceAll(/['\u2018-\u201b]/g, '$&$&')}'`
}

function renderGithub([name, value]: Entry, createDelimiter: () => string): string {
  if (!/[\r\n]/.test(value)) return `${name}=${value}`
  const delimiter = createDelimiter()
  return `${name}<<${delimiter}\n${value}\n${delimiter}`
}

function renderDotenv([name, value]: Entry): string {
  if (!/[\r\n]/.test(value)) return `${name}=${value}`
  throw new ConfigError('CONFIG_INVALID', `${name} has several lines: GitLab cannot carry them.`, {
    next: 'In the same job use: eval "$(tufgate env)"',
  })
}

function lines(list: readonly string[]): string {
  return list.map((line) => `${line}\n`).join('')
}
