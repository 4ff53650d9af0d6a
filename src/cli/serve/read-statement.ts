/** A file of `tufgate trust show`: given as a floor, or compared. */

import { readFileSync } from 'node:fs'
import { toPrintable } from '../../base/bytes.ts'
import { isMalformed } from '../../base/decode.ts'
import { ConfigError } from '../../base/errors.ts'
import { describeErrno, isPathErrno } from '../../store/storage-error.ts'
import { parseStatement, type TrustStatement } from '../../tuf/trust-statement.ts'

const maxStatementBytes = 16_384

/** Throws CONFIG_INVALID. */
export function readStatement(path: string): TrustStatement {
  const shown = toPrintable(path, 500)
  const next = 'Have it written anew: tufgate trust show -o FILE'
  try {
    const bytes = readFileSync(path)
    if (bytes.length <= maxStatementBytes) return parseStatement(bytes)
  } catch (error) {
    const isPath = isPathErrno(error)
    if (!isPath && !isMalformed(error)) throw error
    const problem = isPath ? describeErrno(error) : error instanceof Error ? error.message : ''
    throw new ConfigError('CONFIG_INVALID', `${shown} cannot be read: ${toPrintable(problem)}`, {
      cause: error,
      next,
    })
  }
  throw new ConfigError('CONFIG_INVALID', `${shown} is too large for what trust show writes.`, {
    expected: `at most ${maxStatementBytes} bytes`,
    next,
  })
}
