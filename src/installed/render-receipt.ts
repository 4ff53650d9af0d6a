/** A receipt for people. `maxListed`: of each group so many are named on a terminal, all of them in a file. */

import { toPrintable } from '../base/bytes.ts'
import { findTrustWords } from '../base/trust-words.ts'
import { findDanger, type Finding } from './findings.ts'
import type { DistributionResult, Receipt, RecordOrigin } from './receipt.ts'

const maxLength = 500

export function renderReceiptText(receipt: Receipt, maxListed: number): string {
  const { environment, time, tufgate } = receipt
  const { python: version, pythonHome } = environment
  const of = pythonHome === undefined ? '' : ` of ${pythonHome}`
  const python = version === '' ? '' : `, Python ${version}${of}`
  return [
    print(`${environment.path} (${environment.kind}${python}), ${time}, tufgate ${tufgate}`),
    ...renderInterpreters(receipt),
    ...renderCounts(receipt),
    ...renderDistributions(receipt, maxListed),
    ...renderNotVerified(receipt.notVerified, maxListed),
    ...renderOrigins(receipt.distributions),
    renderResult(receipt),
    '',
  ].join('\n')
}

function print(text: string): string {
  return toPrintable(text, maxLength)
}

const maxInterpreters = 5

function renderInterpreters({ environment: { interpreters = [] } }: Receipt): string[] {
  if (interpreters.length === 0) return []
  const rest = interpreters.length - maxInterpreters
  const more = rest > 0 ? ` and ${rest} others` : ''
  const shown = interpreters.slice(0, maxInterpreters).join(', ')
  return [`Its scripts start ${print(shown)}${more}: NOT CHECKED, nobody signs that`]
}

function wordsOf({ distributions }: Receipt): ReturnType<typeof findTrustWords> {
  const isFirstUse = distributions.some(({ origin }) => origin?.trust === 'first-use')
  return findTrustWords(isFirstUse ? 'first-use' : 'signed')
}

function renderCounts(receipt: Receipt): string[] {
  const { counts, byteCode } = receipt
  const { matches, list } = wordsOf(receipt)
  const lines: readonly (readonly [number, string])[] = [
    [counts.same, `${matches}: the same as in the wheels of the ${list}`],
    [counts.generated, 'made by the installer: scripts of entry points, its own notes'],
    [
      counts['byte-code'],
      byteCode === 'header'
        ? 'byte code whose header fits its source. WHAT IT DOES IS NOT CHECKED, and Python runs it in place of the source'
        : 'byte code',
    ],
    [
      counts.environment,
      'of the environment itself (activate, pyvenv.cfg, links to Python): NOT CHECKED, nobody signs them',
    ],
    [counts.changed, 'CHANGED'],
    [counts.missing, 'MISSING'],
    [counts.unreadable, 'NOT READABLE'],
    [counts.unknown, 'UNKNOWN: of no signed wheel'],
    [counts.untraced, 'of distributions that are not traced'],
  ]
  return lines
    .filter(([count]) => count > 0)
    .map(([count, what]) => `${String(count).padStart(8)} ${what}`)
}

function renderDistributions({ distributions }: Receipt, maxListed: number): string[] {
  const traced = distributions.filter(({ status }) => status === 'traced')
  const others = distributions.filter(({ status }) => status !== 'traced')
  const yanked = traced.filter((one) => one.yanked !== undefined)
  return [
    `${countOf(distributions.length)}, ${traced.length} traced to their wheels`,
    ...renderList(others, maxListed, ({ name, version, status, reason = '' }) => {
      const label = status === 'untold' ? 'could not be told' : status
      return `  ${print(`${name} ${version}`)}: ${label}${reason === '' ? '' : `, ${print(reason)}`}`
    }),
    ...renderList(yanked, maxListed, ({ name, version, yanked: reason = '' }) =>
      print(`  ${name} ${version} is yanked${reason === '' ? '' : `: ${reason}`}`),
    ),
  ]
}

function countOf(distributions: number): string {
  return distributions === 1 ? '1 distribution' : `${distributions} distributions`
}

function renderNotVerified(findings: readonly Finding[], maxListed: number): string[] {
  if (findings.length === 0) return []
  // Of a distribution that is not traced as a whole, only what runs without being asked for by name.
  const shown = Number.isFinite(maxListed) ? findings.filter(isShownShort) : findings
  const rest = findings.length - shown.length
  return [
    'Not verified, what runs by itself first:',
    ...renderList(shown, maxListed, (finding) => {
      const { path, class: kind, reason, distribution } = finding
      const of = distribution === undefined ? '' : ` (${distribution})`
      return print(`  ${kind.padEnd(10)} ${path}${of}${reason === undefined ? '' : `: ${reason}`}`)
    }),
    ...(rest === 0 ? [] : [`  and ${rest} other files of distributions that are not traced`]),
  ]
}

function isShownShort(finding: Finding): boolean {
  return finding.class !== 'untraced' || findDanger(finding) <= 3
}

function renderList<T>(
  items: readonly T[],
  maxListed: number,
  render: (item: T) => string,
): string[] {
  const lines = items.slice(0, maxListed).map(render)
  const rest = items.length - lines.length
  return rest === 0 ? lines : [...lines, `  and ${rest} more (--receipt FILE names all)`]
}

function renderOrigins(distributions: readonly DistributionResult[]): string[] {
  const byIndex = new Map<string, RecordOrigin>()
  for (const { origin } of distributions)
    if (origin !== undefined) byIndex.set(origin.index, origin)
  return [...byIndex.values()].map(
    ({ index, url, trust, rootSha256, root, timestamp, snapshot }) => {
      const where = print(`index ${index} (${url})`)
      if (trust === 'first-use') return `${where}: kept from first use`
      return `${where}: root ${root}, timestamp ${timestamp ?? '-'}, snapshot ${snapshot ?? '-'}\n  pinned root sha256 ${rootSha256}`
    },
  )
}

function renderResult(receipt: Receipt): string {
  const { result, counts, byteCode } = receipt
  const { matches, matchesMean } = wordsOf(receipt)
  const compiled = byteCode === 'header' ? counts['byte-code'] : 0
  const advice =
    compiled === 0
      ? ''
      : 'Byte code is as good as whoever wrote it. To have none that is older than this check: find ENVIRONMENT -name "*.pyc" -delete (Python makes it anew), or --bytecode refuse.\n'
  const isGood = !result.startsWith('not-')
  if (isGood && receipt.distributions.length === 0) return 'Nothing is installed in it.'
  if (result === 'not-told')
    return `${advice}Not all could be told: ask again when the mirror answers.`
  if (!isGood) return `${advice}NOT ALL IS ${matches.toUpperCase()}.`
  const exception = compiled === 0 ? '' : `, BUT NOT THE BYTE CODE (${countFiles(compiled)})`
  return `${advice}Everything that is installed is ${matches} or made by the installer${exception}: ${matchesMean}.`
}

function countFiles(count: number): string {
  return count === 1 ? '1 file' : `${count} files`
}
