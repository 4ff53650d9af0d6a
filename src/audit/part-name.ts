/**
 * File names of the log: `<time>_<owner>_<random>.<part>.jsonl`. A chain is one process's lines; it
 * runs on across its parts. Names sort by the start of the chain, then by part.
 */

import { encodeHex } from '../base/bytes.ts'
import { createRandomBytes } from '../base/digest.ts'

export interface PartName {
  readonly file: string
  readonly chain: string
  /** Of the process that writes it. */
  readonly owner: string
  /** From 1. */
  readonly part: number
}

export function buildChainId(time: number, owner: string): string {
  const stamp = new Date(time).toISOString().replaceAll(/[-:.]/g, '')
  return `${stamp}_${owner}_${encodeHex(createRandomBytes(4))}`
}

export function buildPartName(chain: string, part: number): PartName {
  const [, owner = ''] = chain.split('_')
  return { file: `${chain}.${String(part).padStart(6, '0')}.jsonl`, chain, owner, part }
}

export function isChainId(text: string): boolean {
  return /^\d{8}T\d{9}Z_[0-9a-z.]{1,80}_[0-9a-f]{8}$/.test(text)
}

/** `undefined` for any other file. */
export function parsePartName(file: string): PartName | undefined {
  const [, chain = '', part = ''] = /^(.+)\.(\d{6,})\.jsonl$/.exec(file) ?? []
  if (!isChainId(chain)) return undefined
  const name = buildPartName(chain, Number(part))
  return name.file === file ? name : undefined
}

/** When the chain was begun, in milliseconds. */
export function readChainStart(chain: string): number {
  const [, date = '', hour, minute, second, rest] =
    /^(\d{8})T(\d\d)(\d\d)(\d\d)(\d{3})Z/.exec(chain) ?? []
  const day = `${date.slice(0, 4)}-${date.slice(4, 6)}-${date.slice(6)}`
  return Date.parse(`${day}T${hour}:${minute}:${second}.${rest}Z`)
}

/** Chains by their start, the parts of each in order. */
export function sortParts(files: readonly string[]): PartName[] {
  const names = files.flatMap((file) => parsePartName(file) ?? [])
  return names.toSorted((left, right) =>
    left.chain === right.chain ? left.part - right.part : left.chain < right.chain ? -1 : 1,
  )
}
