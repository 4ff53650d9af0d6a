/**
 * The JSON of a release, as `/pypi/<project>/<version>/json` of PyPI has it, of what a client sees on the
 * page of the project: nothing is in it that is not on that page or in a verified METADATA file. What else
 * PyPI tells there (authors, classifiers, vulnerabilities) nobody has signed, so its keys are not there.
 */

import { encodeUtf8, type Bytes } from '../base/bytes.ts'
import type { Json } from '../base/canonical-json.ts'
import type { DeclaredMetadata } from './declared-metadata.ts'
import { parseFilename } from './filename.ts'
import type { ProjectFile } from './model.ts'
import { toObject } from './page-object.ts'
import type { RecordContent, RecordFile } from './record.ts'
import { comparableVersion } from './version-key.ts'

export const releaseContentType = 'application/json'

export interface ReleaseFiles<F extends ProjectFile = ProjectFile> {
  /** As the record has it. */
  readonly version: string
  readonly files: readonly F[]
}

/** By `comparableVersion`. A file whose name tells no version is in none, as no installer takes it. */
export function groupReleases(
  record: RecordContent,
): ReadonlyMap<string, ReleaseFiles<RecordFile>> {
  const spellings = new Map(
    record.versions.map((version) => [comparableVersion(version), version] as const),
  )
  const releases = new Map<string, { version: string; files: RecordFile[] }>()
  for (const file of record.files) {
    const { version } = parseFilename(file.filename, record.name)
    if (version === undefined) continue
    const key = comparableVersion(version)
    const release = releases.get(key)
    if (release !== undefined) release.files.push(file)
    else releases.set(key, { version: spellings.get(key) ?? version, files: [file] })
  }
  return releases
}

export interface ReleaseTexts {
  /** Normalized. */
  readonly name: string
  /** What the verified METADATA files say, where they are known and agree. */
  readonly declared?: DeclaredMetadata
  readonly remark?: string
}

/** Without `declared`, `requires_dist` is null: poetry then reads the files themselves. */
export function renderReleaseJson(release: ReleaseFiles, texts: ReleaseTexts): Bytes {
  const { version, files } = release
  const { name, declared, remark } = texts
  const info = {
    name,
    version,
    summary: declared?.summary ?? null,
    platform: null,
    requires_dist: declared?.requirements ?? null,
    requires_python: findCommonPython(files),
    ...yankEntries(files),
  }
  return encodeJson([
    ['info', info],
    ['urls', files.map((file) => renderFile(file, name))],
    ['_remark', remark],
  ])
}

/** Which release is the newest is not judged here: `info` names none, and `urls` has no files. */
export function renderProjectJson(
  releases: readonly ReleaseFiles[],
  { name, remark }: Omit<ReleaseTexts, 'declared'>,
): Bytes {
  const entries = releases
    .filter(({ files }) => files.length > 0)
    .map(({ version, files }) => [version, files.map((file) => renderFile(file, name))] as const)
  return encodeJson([
    ['info', { name, version: null }],
    ['releases', toObject(entries)],
    ['urls', []],
    ['_remark', remark],
  ])
}

function renderFile(file: ProjectFile, project: string): Json {
  const { filename, url, size, requiresPython, uploadTime } = file
  return {
    filename,
    url,
    packagetype: findPackageType(filename, project),
    python_version: findPythonVersion(filename, project),
    digests: { sha256: file.hashes.get('sha256') ?? null },
    size: size ?? null,
    requires_python: requiresPython ?? null,
    upload_time_iso_8601: uploadTime ?? null,
    ...yankEntries([file]),
  }
}

/** A release is yanked when all of its files are. */
function yankEntries(files: readonly ProjectFile[]): { yanked: boolean; yanked_reason: Json } {
  const yanked = files.every((file) => file.yanked !== undefined)
  const reason = files.map((file) => file.yanked).find((text) => text !== undefined && text !== '')
  return { yanked, yanked_reason: yanked ? (reason ?? null) : null }
}

function findCommonPython(files: readonly ProjectFile[]): string | null {
  const found = new Set(files.map(({ requiresPython }) => requiresPython))
  const [only] = found
  return found.size === 1 && only !== undefined ? only : null
}

const packageTypes: ReadonlyMap<string, string> = new Map([
  ['wheel', 'bdist_wheel'],
  ['sdist', 'sdist'],
  ['egg', 'bdist_egg'],
  ['binary', 'bdist_dumb'],
])

function findPackageType(filename: string, project: string): string {
  const extension = filename.slice(filename.lastIndexOf('.') + 1).toLowerCase()
  const { kind } = parseFilename(filename, project)
  return packageTypes.get(kind) ?? (extension === 'exe' ? 'bdist_wininst' : `bdist_${extension}`)
}

function findPythonVersion(filename: string, project: string): string {
  const { kind } = parseFilename(filename, project)
  if (kind === 'wheel') return filename.split('-').at(-3) ?? 'any'
  return kind === 'sdist' ? 'source' : 'any'
}

/** Versions are names from the network, which the entries of `toObject` may be. */
function encodeJson(entries: Parameters<typeof toObject>[0]): Bytes {
  return encodeUtf8(JSON.stringify(toObject(entries)))
}
