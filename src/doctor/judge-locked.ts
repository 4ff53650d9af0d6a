/** The addresses in one lock file: by where they lead, since there are hundreds of each. */

import { quoteShell } from '../base/quote-shell.ts'
import { showAddress, type Reference } from '../installers/reference.ts'
import type { Finding } from './finding.ts'
import { isCarried, judgeReference, type JudgeContext } from './judge-reference.ts'
import { isLocalAddress } from './own-address.ts'

export function judgeLockFile(
  references: readonly Reference[],
  place: string,
  context: JudgeContext,
): Finding[] {
  const locked = references.filter(({ kind }) => kind === 'locked')
  const byOrigin = Map.groupBy(locked, ({ value }) => findOrigin(value))
  const addresses = Array.from(byOrigin.values(), (all) => judgeOrigin(all, place, context))
  const others = references.filter(({ kind }) => kind !== 'locked')
  return [
    ...addresses.flatMap((found) => found ?? []),
    ...others.flatMap((one) => judgeReference(one, place, context) ?? []),
  ]
}

function findOrigin(value: string): string {
  const url = URL.parse(value)
  return url === null ? showAddress(value) : `${url.protocol}//${url.host}`
}

function judgeOrigin(
  all: readonly Reference[],
  place: string,
  context: JudgeContext,
): Finding | undefined {
  const [first] = all
  if (first === undefined || all.every((one) => isGood(one, context))) return undefined
  const origin = showAddress(findOrigin(first.value)).replace(/\/$/, '')
  const isLocal = isForeignProxy(first.value, context)
  return {
    severity: 'problem',
    code: isLocal ? 'locked-to-other-port' : 'locked-past-proxy',
    place,
    line: first.line,
    what:
      all.length === 1
        ? `1 address leads to ${origin}`
        : `${all.length} addresses lead to ${origin}; this is the first`,
    why: isLocal
      ? 'It was written by way of a tufgate at another address, which is not there any more, or is somebody else by now.'
      : `${first.installer} fetches files from the addresses that its lock file names, whatever index is set: tufgate sees nothing of them.`,
    mend: mendLock(first.value, place, context),
  }
}

/** On this machine, and no index of the settings, such as a devpi. */
function isForeignProxy(rawUrl: string, { indexHosts }: JudgeContext): boolean {
  return isLocalAddress(rawUrl) && !indexHosts.has(URL.parse(rawUrl)?.host ?? '')
}

function mendLock(rawUrl: string, place: string, context: JudgeContext): string {
  const { own, indexHosts, configFlag } = context
  const file = quoteShell(place)
  const rewrite = `tufgate lock rewrite${configFlag}`
  const toProxy = `${rewrite} --to proxy --proxy ${quoteShell(own.index)} ${file}`
  if (isForeignProxy(rawUrl, context)) return `${rewrite} ${file} && ${toProxy}`
  return indexHosts.has(URL.parse(rawUrl)?.host ?? '')
    ? toProxy
    : 'lock it anew while the installer asks the proxy: no [[index]] of the settings has files on this host'
}

function isGood({ value, installer }: Reference, context: JudgeContext): boolean {
  return context.own.findPart(value) !== undefined || isCarried(value, installer, context)
}
