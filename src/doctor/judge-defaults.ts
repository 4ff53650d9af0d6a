/**
 * Which installers ask PyPI itself, because nothing tells them otherwise. One that neither the project
 * nor anything else here uses is worth a note only.
 */

import { showAddress, type Installer, type Reference } from '../installers/reference.ts'
import type { Finding } from './finding.ts'
import { isCarried, type JudgeContext } from './judge-reference.ts'
import { mendDefault } from './mend-reference.ts'
import { environmentPlace, unsetPlace } from './places.ts'

export interface PlacedReference {
  readonly place: string
  readonly reference: Reference
}

export interface InstallerUse {
  readonly installer: Installer
  /** A file of the project that is made for it, or `undefined` where it is merely installed. */
  readonly projectFile?: string
}

const pypi = 'https://pypi.org/simple/'

export function judgeDefaults(
  uses: readonly InstallerUse[],
  references: readonly PlacedReference[],
  context: JudgeContext,
): Finding[] {
  return uses.flatMap((use) => {
    if (isCarried(pypi, use.installer, context)) return []
    return judgeUse(use, references, context)
  })
}

function judgeUse(
  { installer, projectFile }: InstallerUse,
  references: readonly PlacedReference[],
  context: JudgeContext,
): Finding[] {
  const found = references.filter(({ reference }) => reference.installer === installer)
  const indexes = found.filter(({ reference: { kind } }) => kind === 'index')
  if (indexes.some(({ place, reference }) => isGeneral(reference, place))) return []
  // Everything comes from find-links, which is a finding of its own.
  if (found.some(({ reference: { kind } }) => kind === 'no-index')) return []
  const said = found.find(({ reference: { kind } }) => kind === 'pypi')
  const narrow = indexes.find(
    ({ reference }) => reference.isDefault === true || reference.installer === 'uv',
  )
  const isUsed = projectFile !== undefined || installer === 'pip'
  return [
    {
      severity: isUsed ? 'problem' : 'note',
      code: 'default-index',
      ...describePlace(said ?? narrow),
      what: describeSetting(installer, narrow),
      why: isUsed
        ? `So ${installer} asks ${pypi} itself${narrow === undefined ? '' : ' for all others'}, and tufgate sees nothing of it.`
        : `${installer} is installed here. If you use it, it asks ${pypi} itself, past tufgate.`,
      mend: mendDefault(installer, context.own, context.environment),
    },
  ]
}

function describePlace(found: PlacedReference | undefined): Pick<Finding, 'place' | 'line'> {
  if (found === undefined) return { place: unsetPlace }
  const { place, reference } = found
  return { place, ...(reference.line > 0 && { line: reference.line }) }
}

function describeSetting(installer: Installer, narrow: PlacedReference | undefined): string {
  return narrow === undefined
    ? `nothing tells ${installer} which index to ask`
    : `${showAddress(narrow.reference.name)} holds for some commands of ${installer} alone`
}

/**
 * Not what one requirements file says; and a section of pip's settings that is called after a command
 * holds for that alone.
 */
function isGeneral({ installer, name, isDefault }: Reference, place: string): boolean {
  // What `uv pip` reads, and no other command of uv.
  if (installer === 'uv') return !name.startsWith('pip.')
  if (installer !== 'pip' || place === environmentPlace) return true
  return isDefault === true && !/ in \[(?!global\])/.test(name)
}
