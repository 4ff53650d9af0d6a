/**
 * Fills in the lengths that a page does not say: from what is signed, else by asking the file's
 * server, once in the life of a file. What a server merely tells is a hint (`toldSize`): the digest
 * decides what the file is, and a server that lies here must not make a good file be refused.
 */

import { isTufgateError } from '../base/errors.ts'
import type { ProjectFile } from '../simple/model.ts'
import type { ParsedPage } from '../simple/parse-json.ts'
import type { RecordFile } from '../simple/record.ts'
import type { IndexPort } from './index-port.ts'
import { findSha256 } from './merge.ts'

/** Of one project at a time; how many connections there are, the port decides. */
const askedAtOnce = 4
/** A host that has told nothing so often in a row is not asked any more. */
const maxSilence = 3

export interface SizeOptions {
  readonly isAllowedUrl: (url: string) => boolean
  /** Files are targets, which have a length: one that nobody tells is measured on the file itself. */
  readonly isRequired?: boolean
}

type SizePort = Pick<IndexPort, 'findSize' | 'hasExactSizes' | 'hashFile' | 'fileHosts'>

/** For one round: it remembers which hosts tell nothing. */
export class SizeAsker {
  readonly #port: SizePort
  readonly #isAllowedUrl: (url: string) => boolean
  readonly #isRequired: boolean
  readonly #silence = new Map<string, number>()

  constructor(port: SizePort, options: SizeOptions) {
    this.#port = port
    this.#isAllowedUrl = options.isAllowedUrl
    this.#isRequired = options.isRequired === true
  }

  async complete(page: ParsedPage, signed: readonly RecordFile[]): Promise<ParsedPage> {
    if (page.files.every(({ size }) => size !== undefined)) return page
    const known = new Map(signed.map((file) => [file.filename, file]))
    const files = [...page.files]
    const open = files.entries()
    const work = async (): Promise<void> => {
      for (const [at, file] of open) files[at] = await this.#completeFile(file, known)
    }
    await Promise.all(Array.from({ length: askedAtOnce }, work))
    return { ...page, files }
  }

  async #completeFile(
    file: ProjectFile,
    known: ReadonlyMap<string, RecordFile>,
  ): Promise<ProjectFile> {
    const before = known.get(file.filename)
    const isKnown = (before?.size ?? before?.toldSize) !== undefined
    // The merge keeps what is signed already.
    if (file.size !== undefined || isKnown || !this.#isAllowedUrl(file.url)) return file
    const size = await this.#ask(file.url)
    if (size === undefined) return this.#isRequired ? this.#measure(file) : file
    return this.#port.hasExactSizes ? { ...file, size } : { ...file, toldSize: size }
  }

  /** Of another file than the listed one it would be the length of nothing. */
  async #measure(file: ProjectFile): Promise<ProjectFile> {
    try {
      const { sha256, size } = await this.#port.hashFile(file.url, this.#port.fileHosts)
      return sha256 === findSha256(file) ? { ...file, size } : file
    } catch (error) {
      if (isTufgateError(error)) return file
      throw error
    }
  }

  async #ask(url: string): Promise<number | undefined> {
    const { host } = new URL(url)
    if (this.#silenceOf(host) >= maxSilence) return undefined
    const size = await this.#askQuietly(url)
    this.#silence.set(host, size === undefined ? this.#silenceOf(host) + 1 : 0)
    return size
  }

  #silenceOf(host: string): number {
    return this.#silence.get(host) ?? 0
  }

  /** It is only a length: whatever else is wrong shows when the file is fetched. */
  async #askQuietly(url: string): Promise<number | undefined> {
    try {
      return await this.#port.findSize(url)
    } catch (error) {
      if (isTufgateError(error)) return undefined
      throw error
    }
  }
}
