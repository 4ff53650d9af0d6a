/**
 * An index that is made on the fly, page by page, and always the same: as many projects as wanted,
 * with as many files each as on PyPI, where most have a few and some have thousands.
 *
 * There is no HTTP and no JSON to parse: what is measured with it is the mirror alone.
 */

import type { FetchedList, FetchedPage, IndexPort } from '../../../src/mirror/index-port.ts'
import type { ProjectFile } from '../../../src/simple/model.ts'
import type { ParsedPage } from '../../../src/simple/parse-json.ts'
import { RandomSequence } from './random-sequence.ts'

/** PyPI in 2026: 20 million files in 736,000 projects, half of which have at most five. */
const medianFiles = 5
const deviation = 1.84
const maxFiles = 12_000
/** What a release adds: one wheel and one sdist. */
const filesAtOnce = 2
const dayMs = 86_400_000
export const firstSerial = 1000
const firstUpload = Date.parse('2012-01-01T00:00:00Z')
const lastUpload = Date.parse('2026-11-01T00:00:00Z')
const spreadDays = 4000

const host = 'files.pythonhosted.org'
const words =
  `data py test core api tool ml web cloud db task cli auto stream aws azure django flask
  async graph text image agent model json http sql mail time math plot geo bio chat code crypto`.split(
    /\s+/,
  )
const syllables = `ka lo mi ra ti no su ve pa de fi go ha ju ke la mo na or pe qu ri sa te un vi
  wo xa yo za bel con dar fen gil hob ist jax kin lum`.split(/\s+/)

export class SyntheticIndex implements IndexPort {
  readonly name = 'synthetic'
  readonly fileHosts: readonly string[] = [host]
  readonly #count: number
  /** Releases since the beginning, of those projects that have had any. */
  readonly #generations = new Map<string, number>()
  #serial = firstSerial
  /** ms of processor time that went into making pages and lists: it is not the mirror's. */
  spentMs = 0
  files = 0

  constructor(count: number) {
    this.#count = count
  }

  addRelease(project: string): void {
    this.#serial += 1
    this.#generations.set(project, this.#generationOf(project) + 1)
  }

  #generationOf(project: string): number {
    return this.#generations.get(project) ?? 0
  }

  #serialOf(project: string): number {
    // It follows from the releases alone: another process that makes as many says the same.
    return firstSerial + this.#generationOf(project)
  }

  fetchPage(project: string, etag?: string): Promise<FetchedPage | 'unchanged'> {
    const serial = this.#serialOf(project)
    if (etag === `"${serial}"`) return Promise.resolve('unchanged')
    const page = this.#make(() => buildPage(project, this.#generationOf(project)))
    this.files += page.files.length
    return Promise.resolve({ page, etag: `"${serial}"`, serial })
  }

  fetchProjectList(): Promise<FetchedList> {
    const serials = this.#make(() => {
      const names = listProjects(this.#count)
      return new Map([...names].map((project) => [project, this.#serialOf(project)]))
    })
    return Promise.resolve({ serial: this.#serial, serials, etag: `"${this.#serial}"` })
  }

  #make<T>(work: () => T): T {
    const before = process.threadCpuUsage()
    const made = work()
    const { user, system } = process.threadCpuUsage(before)
    this.spentMs += (user + system) / 1000
    return made
  }

  findSize(): Promise<undefined> {
    return Promise.resolve(undefined)
  }

  hashFile(): Promise<never> {
    return Promise.reject(new Error('every file has a digest'))
  }

  fetchFile(): Promise<never> {
    return Promise.reject(new Error('there are no files'))
  }

  close(): Promise<void> {
    return Promise.resolve()
  }
}

export function* listProjects(count: number): Generator<string> {
  for (let at = 0; at < count; at += 1) yield renderName(at)
}

/**
 * A word and four syllables, which number the project: no two share a name, and neighbours in the
 * alphabet are not neighbours in number. About 13 letters, as on PyPI.
 */
export function renderName(at: number): string {
  // Coprime to the number of all names, so that it only puts them in another order.
  let rest = (at * 1_299_709) % syllables.length ** 4
  const parts: string[] = []
  for (let place = 0; place < 4; place += 1) {
    parts.push(syllables[rest % syllables.length] ?? '')
    rest = Math.floor(rest / syllables.length)
  }
  const word = words[at % words.length] ?? ''
  return `${word}-${parts.join('')}`
}

/** A lognormal distribution, cut where the largest projects of PyPI are. */
export function countFiles(project: string): number {
  const wanted = medianFiles * Math.exp(deviation * new RandomSequence(project).nextNormal())
  return Math.min(maxFiles, Math.max(1, Math.round(wanted)))
}

/** As after so many releases since the beginning; what was there before stays as it was. */
export function buildPage(project: string, generation: number): ParsedPage {
  const sequence = new RandomSequence(`${project} files`)
  const base = countFiles(project)
  const baseReleases = Math.ceil(base / filesAtOnce)
  const startedAt = firstUpload + (sequence.nextInteger() % spreadDays) * dayMs
  const betweenMs = (lastUpload - startedAt) / baseReleases
  const files: ProjectFile[] = []
  const add = (release: number, kind: 'wheel' | 'sdist', uploadedAt: number): void => {
    files.push(buildFile({ project, release, kind, uploadedAt }, sequence))
  }
  for (let at = 0; at < base; at += 1) {
    const release = Math.floor(at / filesAtOnce)
    add(release, at % filesAtOnce === 0 ? 'wheel' : 'sdist', startedAt + release * betweenMs)
  }
  for (let added = 0; added < generation; added += 1) {
    for (const kind of ['wheel', 'sdist'] as const) add(baseReleases + added, kind, lastUpload)
  }
  const releases = baseReleases + generation
  const versions = Array.from({ length: releases }, (_, at) => renderVersion(at))
  return { name: project, files, versions, extra: new Map(), skipped: [] }
}

interface FileOutline {
  readonly project: string
  readonly release: number
  readonly kind: 'wheel' | 'sdist'
  /** ms */
  readonly uploadedAt: number
}

function buildFile(
  { project, release, kind, uploadedAt }: FileOutline,
  sequence: RandomSequence,
): ProjectFile {
  const stem = `${project.replaceAll('-', '_')}-${renderVersion(release)}`
  const filename = kind === 'wheel' ? `${stem}-py3-none-any.whl` : `${stem}.tar.gz`
  const place = sequence.nextDigest()
  const path = `${place.slice(0, 2)}/${place.slice(2, 4)}/${place.slice(4)}`
  const uploaded = new Date(uploadedAt + (sequence.nextInteger() % dayMs))
  return {
    filename,
    url: `https://${host}/packages/${path}/${filename}`,
    hashes: new Map([['sha256', sequence.nextDigest()]]),
    requiresPython: '>=3.8',
    size: 2000 + (sequence.nextInteger() % 4_000_000),
    uploadTime: uploaded.toISOString().replace('Z', '123Z'),
    ...(kind === 'wheel' && { coreMetadata: new Map([['sha256', sequence.nextDigest()]]) }),
    extra: new Map(),
  }
}

function renderVersion(release: number): string {
  return `${Math.floor(release / 50)}.${Math.floor(release / 5) % 10}.${release % 5}`
}
