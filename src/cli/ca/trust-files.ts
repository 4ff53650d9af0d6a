/** The certificates that installers were told to believe until now, by the variables that will name our bundle. */

import { readFileSync, statSync } from 'node:fs'
import { toPrintable } from '../../base/bytes.ts'
import type { Environment } from '../../base/environment.ts'
import { buildTrustBundle, type TrustBundle } from '../../ca/trust-bundle.ts'
import { trustVariables } from '../../installers/trust-variables.ts'
import { describeErrno } from '../../store/storage-error.ts'

/** The roots of the whole world are a quarter of one. */
const maxTrustFileBytes = 16 * 1024 ** 2

/** @param warn told of each variable whose file cannot be taken over */
export function buildBundle(
  authorityPem: string,
  environment: Environment,
  warn: (message: string) => void,
): TrustBundle {
  const texts: string[] = []
  const seen = new Set<string>()
  for (const { name } of trustVariables) {
    const path = environment[name] ?? ''
    if (path === '' || seen.has(path)) continue
    seen.add(path)
    const problem = readTrustFile(path, texts)
    if (problem !== undefined) {
      warn(`${name} names ${toPrintable(path, 500)}, which is left out of the bundle: ${problem}`)
    }
  }
  return buildTrustBundle(authorityPem, texts)
}

/** Gives what is wrong with it. */
function readTrustFile(path: string, texts: string[]): string | undefined {
  try {
    const stats = statSync(path)
    if (stats.isDirectory()) return 'it is a folder'
    if (!stats.isFile() || stats.size > maxTrustFileBytes) return 'it is not a file of certificates'
    texts.push(readFileSync(path, 'latin1'))
    return undefined
  } catch (error) {
    return describeErrno(error)
  }
}
