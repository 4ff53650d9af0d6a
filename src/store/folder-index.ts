/**
 * An index that is a folder: `simple/<project>/index.html` or JSON pages, at its top or below `web/`
 * as bandersnatch writes it. It has the shape of the HTTP index (`upstream/index-client.ts`).
 *
 * `url` says where the same tree is served; relative links are resolved against it.
 */

import { constants, existsSync, type BigIntStats } from 'node:fs'
import { open, readdir, type FileHandle } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { encodeUtf8, type Bytes } from '../base/bytes.ts'
import { createHasher } from '../base/digest.ts'
import { UpstreamError } from '../base/errors.ts'

interface Validators {
  readonly etag?: string
}

export interface FolderPage {
  readonly kind: 'page'
  readonly body: Bytes
  readonly format: 'json' | 'html'
  readonly contentType: string
  readonly etag?: string
  readonly url: string
}

export interface FolderIndex {
  readonly name: string
  fetchProject(project: string, known?: Validators): Promise<FolderPage | 'unchanged' | 'absent'>
  /** From a page of the folder, or else from the names of its subfolders. */
  fetchProjectList(known?: Validators): Promise<FolderPage | 'unchanged' | 'absent'>
  /** Of a file of this tree, by its URL. */
  findSize(url: string): Promise<number | undefined>
  hashFile(url: string): Promise<{ readonly sha256: string; readonly size: number }>
  fetchFile(url: string, sink: FileSink): Promise<void>
}

interface FileSink {
  restart(): Promise<void>
  /** One chunk at a time, which is used again afterwards. */
  write(chunk: Bytes): Promise<void>
}

export interface FolderIndexOptions {
  readonly folder: string
  /** The Simple API's address of this tree. */
  readonly url: string
  readonly maxPageBytes?: number
}

interface Tree {
  readonly simple: string
  readonly url: string
  readonly maxPageBytes: number
}

const json = 'application/vnd.pypi.simple.v1+json'
const html = 'application/vnd.pypi.simple.v1+html'

/** In the order in which they are looked for. */
const pageNames: readonly (readonly [name: string, contentType: string])[] = [
  ['index.v1_json', json],
  ['index.json', json],
  ['index.v1_html', html],
  ['index.html', 'text/html'],
]

const chunkBytes = 256 * 1024
// A FIFO in the place of a page would never end.
const flags = constants.O_RDONLY | constants.O_NONBLOCK

export function openFolderIndex(options: FolderIndexOptions): FolderIndex {
  const { folder, maxPageBytes = 256 * 1024 ** 2 } = options
  const url = options.url.endsWith('/') ? options.url : `${options.url}/`
  const tree: Tree = { simple: findSimple(folder), url, maxPageBytes }
  return {
    name: folder,
    async fetchProject(project, known) {
      // A single name: neither a separator nor a dot in front can lead out of the folder.
      if (!/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(project)) return 'absent'
      const place = { directory: join(tree.simple, project), url: new URL(`${project}/`, url).href }
      return findPage(tree, place, known)
    },
    async fetchProjectList(known) {
      const page = await findPage(tree, { directory: tree.simple, url }, known)
      return page === 'absent' ? listFolders(tree) : page
    },
    findSize: (fileUrl) => withFile(findPath(tree, fileUrl), async (_, { size }) => Number(size)),
    async hashFile(fileUrl) {
      const hasher = createHasher('sha256')
      const write = async (chunk: Bytes): Promise<void> => hasher.update(chunk)
      const size = await readFile(tree, fileUrl, write)
      return { sha256: hasher.digestHex(), size }
    },
    async fetchFile(fileUrl, sink) {
      await sink.restart()
      await readFile(tree, fileUrl, (chunk) => sink.write(chunk))
    },
  }
}

function findSimple(folder: string): string {
  const candidates = [join(folder, 'simple'), join(folder, 'web', 'simple')]
  return candidates.find((candidate) => existsSync(candidate)) ?? folder
}

async function findPage(
  tree: Tree,
  place: { readonly directory: string; readonly url: string },
  known?: Validators,
): Promise<FolderPage | 'unchanged' | 'absent'> {
  for (const [name, contentType] of pageNames) {
    const path = join(place.directory, name)
    const found = await withFile(path, async (handle, stats) => {
      const etag = `"${stats.mtimeNs}-${stats.size}-${stats.ino}"`
      if (etag === known?.etag) return 'unchanged'
      const body = await readWhole(handle, { path, maxBytes: tree.maxPageBytes })
      const format = contentType === json ? 'json' : 'html'
      return { kind: 'page', body, format, contentType, etag, url: place.url } as const
    })
    if (found !== undefined) return found
  }
  return 'absent'
}

async function listFolders(tree: Tree): Promise<FolderPage> {
  const entries = await readdir(tree.simple, { withFileTypes: true }).catch((error: unknown) => {
    throw buildError('UNREACHABLE', `the folder ${tree.simple} cannot be read`, error)
  })
  const names = entries.filter((entry) => !entry.isFile()).map(({ name }) => name)
  const projects = names.toSorted().map((name) => ({ name }))
  const body = encodeUtf8(JSON.stringify({ meta: { 'api-version': '1.0' }, projects }))
  return { kind: 'page', body, format: 'json', contentType: json, url: tree.url }
}

/** Where a URL of this tree lies on disk; `undefined` for URLs of elsewhere. */
function findPath(tree: Tree, rawUrl: string): string | undefined {
  const root = new URL('..', tree.url)
  const url = URL.parse(rawUrl)
  if (url === null || !url.href.startsWith(root.href)) return undefined
  const segments = url.pathname.slice(root.pathname.length).split('/').map(decodeSegment)
  return segments.every(isPlain) ? join(dirname(tree.simple), ...segments) : undefined
}

/** Neither empty, nor dots, nor more than one segment once it is decoded. */
function isPlain(segment: string | undefined): segment is string {
  return segment !== undefined && !/^\.*$|[/\\\0]/.test(segment)
}

function decodeSegment(raw: string): string | undefined {
  try {
    return decodeURIComponent(raw)
  } catch {
    return undefined // Not UTF-8: no file that a page could name.
  }
}

/** `undefined` where there is no regular file. */
async function withFile<T>(
  path: string | undefined,
  use: (handle: FileHandle, stats: BigIntStats) => Promise<T>,
): Promise<T | undefined> {
  const handle = path === undefined ? undefined : await openIfThere(path)
  if (handle === undefined) return undefined
  try {
    const stats = await handle.stat({ bigint: true })
    return stats.isFile() ? await use(handle, stats) : undefined
  } finally {
    await handle.close()
  }
}

async function openIfThere(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, flags)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw buildError('UNREACHABLE', `${path} cannot be read`, error)
  }
}

async function readWhole(
  handle: FileHandle,
  { path, maxBytes }: { readonly path: string; readonly maxBytes: number },
): Promise<Bytes> {
  const { size } = await handle.stat()
  if (size <= maxBytes) return handle.readFile()
  throw buildError('TOO_LARGE', `${path} has ${size} bytes, more than the ${maxBytes} allowed`)
}

type Write = (chunk: Bytes) => Promise<void>

/** The number of bytes. */
async function readFile(tree: Tree, url: string, write: Write): Promise<number> {
  const size = await withFile(findPath(tree, url), (handle) => readChunks(handle, write))
  if (size !== undefined) return size
  throw buildError('UNREACHABLE', `${url} is no file of the index in ${dirname(tree.simple)}`)
}

async function readChunks(handle: FileHandle, write: Write): Promise<number> {
  const buffer = Buffer.allocUnsafe(chunkBytes)
  let size = 0
  for (;;) {
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, size)
    if (bytesRead === 0) return size
    await write(buffer.subarray(0, bytesRead))
    size += bytesRead
  }
}

function buildError(
  code: 'UNREACHABLE' | 'TOO_LARGE',
  message: string,
  cause?: unknown,
): UpstreamError {
  return new UpstreamError(code, message, {
    next: 'Look at the folder that is set as the index, and at its permissions.',
    cause,
  })
}
