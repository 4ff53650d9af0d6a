/** A change as a sentence without its end, for a person: `2 files were yanked: a, b`. */

import { toPrintable } from '../base/bytes.ts'
import type { Change, ChangeItem, ChangeKind } from './change-kinds.ts'

const shownItems = 5

export function describeChange(change: Change): string {
  const { count, of, unit, items } = change
  if (unit === 'projects') return `the index lists nothing any more of ${count} of ${of} projects`
  const [one, many] = phrases[change.kind]
  const whole = of === undefined ? '' : ` of ${of}`
  const phrase = count === 1 && whole === '' ? one : many
  const shown = items.slice(0, shownItems).map(describeItem)
  const rest = count > shown.length && shown.length > 0 ? [`${count - shown.length} more`] : []
  const sentence = phrase.replace('#', `${count}${whole}`)
  return shown.length === 0 ? sentence : `${sentence}: ${[...shown, ...rest].join(', ')}`
}

/** `#` stands for the number. They fit a notary too, of which nobody says "signed". */
const phrases: Readonly<Record<ChangeKind, readonly [one: string, many: string]>> = {
  'new-project': ['a new project with 1 file', 'a new project with # files'],
  'record-remade': [
    'its record was lost and is made again, with 1 file',
    'its record was lost and is made again, with # files',
  ],
  'hash-changed': [
    'a file has another sha256 than at first, which is never taken over',
    '# files have another sha256 than at first, which is never taken over',
  ],
  'hash-restored': ['a file has its first sha256 again', '# files have their first sha256 again'],
  'another-spelling': [
    'a file has another sha256 under another spelling of its name, which is never taken over',
    '# files have another sha256 under another spelling of their names, which is never taken over',
  ],
  'project-vanished': [
    'the index lists nothing of it any more (1 file before)',
    'the index lists nothing of it any more (# files before)',
  ],
  'project-revived': [
    'the project had vanished and is back, with 1 file',
    'the project had vanished and is back, with # files',
  ],
  'many-removed': [
    'the index does not list # files any more',
    'the index does not list # files any more',
  ],
  'newest-removed': ['the newest release was removed', 'of the newest release # were removed'],
  'release-removed': ['a release was removed', '# releases were removed'],
  'file-removed': ['a file was removed', '# files were removed'],
  'file-revived': ['a removed file is listed again', '# removed files are listed again'],
  'late-file': [
    'a file was added to a release that is older than 14 days',
    '# files were added to releases that are older than 14 days',
  ],
  'file-added': ['a file was added', '# files were added'],
  yanked: ['a file was yanked', '# files were yanked'],
  unyanked: ['a file is not yanked any more', '# files are not yanked any more'],
  'requires-python-changed': [
    'a file has another requires-python',
    '# files have another requires-python',
  ],
  'core-metadata-changed': [
    'a file has another .metadata file',
    '# files have another .metadata file',
  ],
  'size-changed': [
    'a file has another size than at first, so that its sha256 alone decides from now on',
    '# files have another size than at first, so that their sha256 alone decides from now on',
  ],
  'host-changed': ['a file is on another host', '# files are on another host'],
  'status-changed': ['its status changed', 'its status changed'],
  'details-changed': ['details changed', 'details changed'],
}

function describeItem({ file, version, before, after, since }: ChangeItem): string {
  const values = describeValues(before, after) ?? (since === undefined ? '' : `(since ${since})`)
  return toPrintable([file ?? version ?? '', values].filter((text) => text !== '').join(' '), 400)
}

function describeValues(before: string | undefined, after: string | undefined): string | undefined {
  if (before !== undefined && after !== undefined) return `(${before} -> ${after})`
  if (after !== undefined) return `(${after})`
  return before === undefined ? undefined : `(was ${before})`
}
