/** The distributions that say of themselves that they are installed in a folder. */

import type { Disk } from '../../installed/disk.ts'
import { readDistribution, type Distribution } from '../../installed/distribution.ts'
import { listRecordPaths, resolvePath } from '../../installed/installer-files.ts'
import type { Layout } from '../../installed/layout.ts'

export interface Found {
  readonly folder: string
  /** What is in its folder. */
  readonly paths: readonly string[]
  readonly distribution: Distribution | { readonly problem: string }
}

const maxMetadataBytes = 1 << 20
const maxRecordBytes = 64 * 1024 ** 2

export async function findDistributions(disk: Disk, { sites }: Layout): Promise<readonly Found[]> {
  const folders = new Map<string, string[]>()
  for (const path of disk.files.keys()) {
    const folder = findInfoFolder(path, sites)
    if (folder === undefined) continue
    const paths = folders.get(folder) ?? []
    paths.push(path)
    folders.set(folder, paths)
  }
  const found: Found[] = []
  for (const folder of [...folders.keys()].toSorted()) {
    const distribution = await readOne(disk, folder)
    found.push({ folder, paths: folders.get(folder) ?? [], distribution })
  }
  return found
}

function findInfoFolder(path: string, sites: readonly string[]): string | undefined {
  for (const site of sites) {
    const start = site === '' ? 0 : site.length + 1
    if (site !== '' && !path.startsWith(`${site}/`)) continue
    const end = path.indexOf('/', start)
    const name = end < 0 ? path.slice(start) : path.slice(start, end)
    const isInfo = end < 0 ? name.endsWith('.egg-info') : /\.(?:dist|egg)-info$/.test(name)
    if (isInfo) return path.slice(0, start + name.length)
  }
  return undefined
}

async function readOne(disk: Disk, folder: string): Promise<Found['distribution']> {
  if (folder.endsWith('.egg-info'))
    return { problem: 'installed the old way (egg-info), without a wheel' }
  const read = async (name: string): Promise<Uint8Array | undefined> => {
    const path = `${folder}/${name}`
    return disk.files.get(path)?.kind === 'file' ? disk.read(path, maxMetadataBytes) : undefined
  }
  return readDistribution(folder, {
    metadata: await read('METADATA'),
    wheel: await read('WHEEL'),
    installer: await read('INSTALLER'),
    directUrl: await read('direct_url.json'),
  })
}

/** What its own RECORD and folder say is its: of one that is not traced. */
export async function listOwnPaths(
  disk: Disk,
  { folder, paths }: Found,
): Promise<ReadonlySet<string>> {
  const own = new Set(paths)
  const record = `${folder}/RECORD`
  if (disk.files.get(record)?.kind !== 'file') return own
  const site = folder.slice(0, Math.max(0, folder.lastIndexOf('/')))
  const bytes = (await disk.read(record, maxRecordBytes)) ?? new Uint8Array()
  for (const raw of listRecordPaths(Buffer.from(bytes).toString('utf8'))) {
    const path = resolvePath(site, raw)
    if (path !== undefined && disk.files.has(path)) own.add(path)
  }
  return own
}
