/**
 * The files of one distribution against the bytes of its signed wheel: each at its place, and what the
 * installer has made of the wheel's own entry points. What is on disk is never believed, not even RECORD.
 */

import { decodeUtf8, encodeUtf8 } from '../base/bytes.ts'
import { sha256Hex } from '../base/digest.ts'
import type { Disk, DiskFile } from './disk.ts'
import type { Distribution } from './distribution.ts'
import type { Finding, Findings } from './findings.ts'
import {
  findScript,
  parseScripts,
  renderScriptBodies,
  splitScript,
  type SplitScript,
} from './generated-scripts.ts'
import { checkInstallerFiles, installerFiles } from './installer-files.ts'
import { findPlaces, type Layout } from './layout.ts'
import { placeEntry } from './wheel-place.ts'

/** Digests of what the verified wheel holds, by the name in it. */
export interface SignedWheel {
  readonly filename: string
  readonly sha256: string
  readonly files: ReadonlyMap<string, SignedFile>
  /** The text of entry_points.txt, empty where there is none. */
  readonly entryPoints: string
}

export interface SignedFile {
  readonly sha256: string
  readonly size: number
  /** Of a script that begins with `#!python`: sha256 of what follows its first line (PEP 427). */
  readonly bodySha256?: string
}

export interface Comparison {
  readonly disk: Disk
  readonly layout: Layout
  readonly findings: Findings
  /** `/opt/venv/bin/`, in all its spellings: where the interpreter of a script must be. */
  readonly scriptFolders: readonly string[]
  /** The folder of the Python that the environment says it is of. */
  readonly pythonHome?: string
}

/** Far more than a script of a few lines. */
const maxScriptBytes = 16 * 1024 ** 2

export async function compareWheel(
  distribution: Distribution,
  wheel: SignedWheel,
  comparison: Comparison,
): Promise<void> {
  const own = new Set<string>()
  const infoFolder = distribution.folder.slice(distribution.folder.lastIndexOf('/') + 1)
  for (const [name, signed] of wheel.files) {
    const place = placeEntry(name)
    if (place === undefined || isReplaced(name, infoFolder)) continue
    const places = findPlaces(comparison.layout, place, distribution)
    const there = places.find((one) => comparison.disk.files.has(one))
    // Of a bare site-packages scripts and data lie elsewhere, if anywhere.
    if (there === undefined && comparison.layout.kind === 'folder' && place.scheme !== 'site')
      continue
    const path = there ?? places[0] ?? name
    own.add(path)
    comparison.findings.add(await compareFile(path, signed, distribution, comparison))
  }
  await compareScripts(distribution, wheel, comparison, own)
  await checkInstallerFiles(distribution, comparison, own)
}

/** Of the same name the installer writes its own. */
function isReplaced(name: string, infoFolder: string): boolean {
  return installerFiles.some((file) => name === `${infoFolder}/${file}`)
}

async function compareFile(
  path: string,
  signed: SignedFile,
  distribution: Distribution,
  comparison: Comparison,
): Promise<Finding> {
  const about = { path, distribution: `${distribution.name} ${distribution.version}` }
  const found = comparison.disk.files.get(path)
  const fault = found === undefined ? undefined : describeKind(found)
  if (found === undefined) return { ...about, class: 'missing' }
  if (fault !== undefined) return { ...about, ...fault }
  if (signed.bodySha256 !== undefined)
    return { ...about, ...(await compareBody(path, signed.bodySha256, comparison)) }
  if (found.size !== signed.size) {
    const reason = `${found.size} bytes, in the wheel ${signed.size}`
    return { ...about, class: 'changed', reason }
  }
  const digest = await comparison.disk.digest(path)
  if (digest === undefined) return { ...about, class: 'unreadable' }
  if (digest === signed.sha256) return { ...about, class: 'same' }
  return { ...about, class: 'changed', reason: `sha256 ${digest}, in the wheel ${signed.sha256}` }
}

export function describeKind({
  kind,
  target = '',
  problem = 'cannot be read',
}: DiskFile): Pick<Finding, 'class' | 'reason'> | undefined {
  if (kind === 'file') return undefined
  if (kind === 'unreadable') return { class: 'unreadable', reason: problem }
  if (kind === 'link') return { class: 'changed', reason: `it is a link to ${target}` }
  return { class: 'changed', reason: 'it is no file' }
}

type Outcome = Pick<Finding, 'class' | 'reason' | 'starts'>

async function readScript(path: string, { disk }: Comparison): Promise<string | Outcome> {
  const bytes = await disk.read(path, maxScriptBytes)
  if (bytes === undefined) return { class: 'unreadable' }
  try {
    return decodeUtf8(bytes)
  } catch {
    return { class: 'changed', reason: 'it is no text' }
  }
}

/** `#!python` became the path of the interpreter; the rest must be as it was. */
async function compareBody(
  path: string,
  bodySha256: string,
  comparison: Comparison,
): Promise<Outcome> {
  const text = await readScript(path, comparison)
  if (typeof text !== 'string') return text
  const split = splitScript(text)
  if (split === undefined) return { class: 'changed', reason: 'its first line starts no Python' }
  const fault = findInterpreterFault(split.interpreter, comparison)
  if (fault !== undefined) return { class: 'changed', reason: fault }
  return sha256Hex(encodeUtf8(split.body)) === bodySha256
    ? { class: 'generated', reason: 'first line by the installer', ...tellStart(split, comparison) }
    : { class: 'changed', reason: 'it is not the script in the wheel' }
}

async function compareScripts(
  distribution: Distribution,
  wheel: SignedWheel,
  comparison: Comparison,
  own: Set<string>,
): Promise<void> {
  const scripts = parseScripts(wheel.entryPoints)
  const names = new Set([...scripts.keys(), ...listVersioned(comparison)])
  for (const name of names) {
    const path = `bin/${name}`
    const entry = findScript(scripts, name)
    if (entry === undefined || own.has(path)) continue
    own.add(path)
    if (!comparison.disk.files.has(path)) continue
    const outcome = await judgeScript(path, renderScriptBodies(entry), comparison)
    const about = { path, distribution: `${distribution.name} ${distribution.version}` }
    comparison.findings.add({ ...about, ...outcome })
  }
}

function listVersioned({ layout: { python } }: Comparison): string[] {
  const versions = python === '' ? ['3'] : ['3', python]
  return versions.flatMap((version) => [`pip${version}`, `easy_install-${version}`])
}

async function judgeScript(
  path: string,
  bodies: readonly string[],
  comparison: Comparison,
): Promise<Outcome> {
  const found = comparison.disk.files.get(path)
  const fault = found && describeKind(found)
  if (fault !== undefined) return fault
  const text = await readScript(path, comparison)
  if (typeof text !== 'string') return text
  const split = splitScript(text)
  if (split === undefined || !bodies.includes(split.body)) {
    const reason = 'it is not what installers make of the signed entry points'
    return { class: 'changed', reason }
  }
  const wrong = findInterpreterFault(split.interpreter, comparison)
  return wrong === undefined
    ? { class: 'generated', ...tellStart(split, comparison) }
    : { class: 'changed', reason: wrong }
}

/** Outside of a virtual environment it could be any: it is told, not judged. */
function tellStart({ interpreter }: SplitScript, { layout }: Comparison): Pick<Finding, 'starts'> {
  return layout.kind === 'venv' || interpreter === '' ? {} : { starts: interpreter }
}

function findInterpreterFault(
  interpreter: string,
  { layout, scriptFolders }: Comparison,
): string | undefined {
  const name = interpreter.slice(interpreter.lastIndexOf('/') + 1)
  if (interpreter !== '' && !/^(?:python|pypy)[\d.]*$/.test(name))
    return `its first line starts ${interpreter}`
  // Nothing says whose Python a folder without one is for.
  if (interpreter === '' || layout.kind !== 'venv') return undefined
  const folder = interpreter.slice(0, -name.length)
  return scriptFolders.includes(folder)
    ? undefined
    : `its first line starts ${interpreter}, which is not in this environment`
}
