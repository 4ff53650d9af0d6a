/** A package index as a folder: JSON pages as large as real ones, and files of given sizes. */

import { createHash, randomBytes } from 'node:crypto'
import { mkdir, open } from 'node:fs/promises'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { buildWheel } from '../../test/support/build-wheel.ts'

export interface IndexedFile {
  readonly filename: string
  readonly sha256: string
  readonly size: number
}

/** A project whose one file stands behind a lane of the upstream server. */
export interface FileProject {
  readonly project: string
  readonly lane: string
  readonly file: IndexedFile
}

const pieceBytes = 1024 * 1024

export async function writeRandomFile(
  folder: string,
  name: string,
  size: number,
): Promise<IndexedFile> {
  const filename = `${name}-1.0-py3-none-any.whl`
  await mkdir(join(folder, 'files'), { recursive: true })
  const handle = await open(join(folder, 'files', filename), 'w')
  const hash = createHash('sha256')
  for (let left = size; left > 0; left -= pieceBytes) {
    const piece = randomBytes(Math.min(pieceBytes, left))
    hash.update(piece)
    await handle.writeFile(piece)
  }
  await handle.close()
  return { filename, sha256: hash.digest('hex'), size }
}

/** A page with so many files; nobody fetches them. */
export async function writeLongPage(folder: string, project: string, count: number): Promise<void> {
  const module = project.replaceAll('-', '_')
  const files = Array.from({ length: count }, (_, at) => ({
    filename: `${module}-${1 + Math.floor(at / 20)}.${at % 20}-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl`,
    sha256: createHash('sha256').update(`${project} ${at}`).digest('hex'),
    size: 1_000_000 + at,
  }))
  await writePage(folder, project, files, 'fast')
}

/** So that the name of a file agrees with its project, each project has a file of its own. */
export async function writeFileProject(
  folder: string,
  { project, lane, size }: { project: string; lane: string; size: number },
): Promise<FileProject> {
  const file = await writeRandomFile(folder, project.replaceAll('-', '_'), size)
  await writePage(folder, project, [file], lane)
  return { project, lane, file }
}

/** A real wheel, which pip takes. */
export async function writeWheelProject(
  folder: string,
  project: string,
  size: number,
): Promise<void> {
  const data = new Map([['data.bin', randomBytes(size)]])
  const { filename, bytes, sha256 } = buildWheel({ name: project, version: '1.0', data })
  await mkdir(join(folder, 'files'), { recursive: true })
  await writeFile(join(folder, 'files', filename), bytes)
  await writePage(folder, project, [{ filename, sha256, size: bytes.length }], 'fast')
}

export function filePathOf({ lane, file }: FileProject): string {
  return `/files/${lane}/${file.filename}`
}

async function writePage(
  folder: string,
  project: string,
  files: readonly IndexedFile[],
  lane: string,
): Promise<void> {
  const page = {
    meta: { 'api-version': '1.1' },
    name: project,
    files: files.map(({ filename, sha256, size }) => ({
      filename,
      url: `../../files/${lane}/${filename}`,
      hashes: { sha256 },
      'requires-python': '>=3.9',
      size,
      'upload-time': '2026-01-02T03:04:05.678901Z',
      yanked: false,
    })),
    versions: [...new Set(files.map(({ filename }) => filename.split('-')[1]))],
  }
  await mkdir(join(folder, 'simple', project), { recursive: true })
  await writeFile(join(folder, 'simple', project, 'index.json'), JSON.stringify(page))
}
