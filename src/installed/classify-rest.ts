/**
 * The files that no signed wheel holds: byte code of what was compared, what the environment itself is
 * made of, what belongs to a distribution that could not be traced, and the rest, named one by one.
 */

import { findByteCodeFault, findSource, headerBytes } from './byte-code.ts'
import { describeKind, type Comparison } from './compare-wheel.ts'
import type { DiskFile } from './disk.ts'
import type { Finding } from './findings.ts'

/** `header`: what its header says is enough. `refuse`: byte code is not trusted at all. */
export type ByteCodeRule = 'header' | 'refuse'

export interface Untraced {
  /** `name version`. */
  readonly distribution: string
  /** Paths of its own RECORD, and its folder: whose they are only it says. */
  readonly paths: ReadonlySet<string>
}

/** `venv`, `virtualenv` and uv make these; a shell runs the first ones on demand. */
const environmentFiles =
  /^(?:bin\/(?:activate(?:\.(?:csh|fish|nu|ps1|bat))?|Activate\.ps1|activate_this\.py|deactivate\.\w+|pydoc\.bat|python[\d.]*)|pyvenv\.cfg|\.gitignore|CACHEDIR\.TAG|\.lock|lib64)$/

export async function classifyRest(
  comparison: Comparison,
  untraced: readonly Untraced[],
  rule: ByteCodeRule,
): Promise<void> {
  const { disk, findings } = comparison
  const owners = indexOwners(untraced)
  const folded = indexFolded(comparison)
  for (const [path, file] of disk.files) {
    if (findings.find(path) !== undefined) continue
    const finding =
      (await judgeByteCode(path, file, comparison, rule)) ??
      judgeEnvironment(path, file, comparison) ??
      judgeOwned(path, owners) ??
      judgeUnknown(path, file, folded)
    findings.add(finding)
  }
}

function indexOwners(untraced: readonly Untraced[]): ReadonlyMap<string, string> {
  const owners = new Map<string, string>()
  for (const { distribution, paths } of untraced) {
    for (const path of paths) if (!owners.has(path)) owners.set(path, distribution)
  }
  return owners
}

async function judgeByteCode(
  path: string,
  file: DiskFile,
  { disk, findings }: Comparison,
  rule: ByteCodeRule,
): Promise<Finding | undefined> {
  const source = findSource(path)
  if (source === undefined) return undefined
  const owner = findings.find(source)
  if (owner === undefined || (owner.class !== 'same' && owner.class !== 'generated'))
    return undefined
  const about = {
    path,
    ...(owner.distribution !== undefined && { distribution: owner.distribution }),
  }
  const fault = describeKind(file)
  if (fault !== undefined) return { ...about, ...fault }
  if (rule === 'refuse')
    return {
      ...about,
      class: 'changed',
      reason: 'byte code, which --bytecode refuse does not trust',
    }
  const header = await disk.read(path, headerBytes)
  const sourceFile = disk.files.get(source)
  if (header === undefined || sourceFile === undefined) return { ...about, class: 'unreadable' }
  const wrong = findByteCodeFault(header, sourceFile)
  return wrong === undefined
    ? { ...about, class: 'byte-code' }
    : { ...about, class: 'changed', reason: wrong }
}

function judgeEnvironment(
  path: string,
  file: DiskFile,
  { layout, pythonHome }: Comparison,
): Finding | undefined {
  if (layout.kind !== 'venv' || !environmentFiles.test(path)) return undefined
  const { kind, target = '' } = file
  if (path.startsWith('bin/python')) return judgePython(path, file, pythonHome)
  // Python of some systems looks for packages there.
  const isLib = path === 'lib64' && kind === 'link' && target === 'lib'
  if (isLib) return { path, class: 'environment', reason: 'link to lib' }
  return kind === 'file' && path !== 'lib64' ? { path, class: 'environment' } : undefined
}

/** What runs everything else: a link to the Python that pyvenv.cfg names, or to another one beside it. */
function judgePython(
  path: string,
  { kind, target = '' }: DiskFile,
  home: string | undefined,
): Finding | undefined {
  if (kind !== 'link') {
    const reason = 'a program in place of a link to Python; nobody signs it'
    return kind === 'file' ? { path, class: 'unknown', reason } : undefined
  }
  const prefix = home === undefined || !target.startsWith(`${home}/`) ? '' : `${home}/`
  const isPython = /^(?:python|pypy)[\d.]*$/.test(target.slice(prefix.length))
  const reason = `link to ${target}`
  if (isPython) return { path, class: 'environment', reason }
  return { path, class: 'unknown', reason: `${reason}, not to the Python of pyvenv.cfg` }
}

function judgeOwned(path: string, owners: ReadonlyMap<string, string>): Finding | undefined {
  const distribution = owners.get(path) ?? owners.get(findSource(path) ?? '')
  if (distribution === undefined) return undefined
  return { path, class: 'untraced', distribution }
}

/** Names that differ only for machines: on some disks one of them hides the other. */
function indexFolded({ findings }: Comparison): ReadonlyMap<string, string> {
  const folded = new Map<string, string>()
  for (const { path } of findings.all) folded.set(fold(path), path)
  return folded
}

function fold(path: string): string {
  return path.normalize('NFKC').toLowerCase()
}

function judgeUnknown(path: string, file: DiskFile, folded: ReadonlyMap<string, string>): Finding {
  if (file.kind === 'unreadable')
    return { path, class: 'unreadable', reason: file.problem ?? 'cannot be read' }
  if (file.kind === 'link') {
    const where = file.staysInside === true ? '' : ', which is elsewhere'
    return { path, class: 'unknown', reason: `link to ${file.target ?? ''}${where}` }
  }
  const twin = folded.get(fold(path))
  const reasons = [
    ...(file.kind === 'other' ? ['it is no file'] : []),
    ...(twin === undefined ? [] : [`its name differs from ${twin} in case or spelling only`]),
    ...(path.endsWith('.pth') ? ['runs at each start of Python, or adds a folder to it'] : []),
    ...(path.endsWith('.pyc') && findSource(path) === undefined
      ? ['byte code without a source']
      : []),
  ]
  const reason = reasons.length === 0 ? {} : { reason: reasons.join('; ') }
  return { path, class: 'unknown', ...reason }
}
