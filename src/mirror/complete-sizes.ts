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
    const known = new Map(signed.map((file) => [file.filename, file]))
    const isSettled = (file: ProjectFile): boolean =>
      file.size !== undefined && !this.#isDoubtful(file, known.get(file.filename))
    if (page.files.every(isSettled)) return page
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
    const told = before?.size ?? before?.toldSize
    if (!this.#isAllowedUrl(file.url)) return file
    if (this.#isDoubtful(file, before)) {
      const toldSize = (await this.#measure(file)) ?? told
      return toldSize === undefined ? file : { ...file, toldSize }
    }
    // The merge keeps what is signed already.
    return file.size !== undefined || told !== undefined ? file : this.#completeUnsized(file)
  }

  async #completeUnsized(file: ProjectFile): Promise<ProjectFile> {
    const asked = await this.#ask(file.url)
    if (asked !== undefined)
      return this.#port.hasExactSizes ? { ...file, size: asked } : { ...file, toldSize: asked }
    const size = this.#isRequired ? await this.#measure(file) : undefined
    return size === undefined ? file : { ...file, size }
  }

  /** A target has a length, and the index has told two: then neither is believed. */
  #isDoubtful(file: ProjectFile, before: RecordFile | undefined): boolean {
    const told = before?.size ?? before?.toldSize
    if (!this.#isRequired || file.size === undefined || told === undefined) return false
    return told !== file.size && before?.sha256 === findSha256(file)
  }

  /** Of another file than the listed one it would be the length of nothing. */
  async #measure(file: ProjectFile): Promise<number | undefined> {
    try {
      const { sha256, size } = await this.#port.hashFile(file.url, this.#port.fileHosts)
      return sha256 === findSha256(file) ? size : undefined
    } catch (error) {
      if (isTufgateError(error)) return undefined
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
