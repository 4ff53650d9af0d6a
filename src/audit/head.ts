/** The newest line of a chain, in the form in which it is kept elsewhere: `CHAIN:SEQ:DIGEST`. */

import { isSha256 } from '../base/digest.ts'
import { isChainId } from './part-name.ts'

export interface AuditHead {
  readonly chain: string
  /** 0 before the first line. */
  readonly seq: number
  /** sha256 of the line, without its line feed. */
  readonly digest: string
}

export function renderHead({ chain, seq, digest }: AuditHead): string {
  return `${chain}:${seq}:${digest}`
}

/** `undefined` for anything else. */
export function parseHead(text: string): AuditHead | undefined {
  const [chain = '', rawSeq = '', digest = '', ...more] = text.trim().split(':')
  const seq = Number(rawSeq)
  const isGood =
    more.length === 0 && isChainId(chain) && /^[1-9]\d{0,15}$/.test(rawSeq) && isSha256(digest)
  return isGood && Number.isSafeInteger(seq) ? { chain, seq, digest } : undefined
}
